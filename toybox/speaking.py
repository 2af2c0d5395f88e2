"""What training a language model on frozen sight needs: kept features, word alignment, packed loss.

Knows transformers' LLaVA classes; nothing of which questions are asked. The alignment term tells
the projector which word each patch is about: without it yes/no questions stay at chance for long
(docs/log.md).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPVisionModel, PreTrainedTokenizerFast

from toybox.dataset import FACETS
from toybox.packing import Packed, Turn
from toybox.tokens import ASSISTANT, EOS
from toybox.train_eyes import to_model
from toybox.training import device


def _made_of(tower: CLIPVisionModel, pixels_NHW3: np.ndarray) -> str:
    """A short name for these weights on these pictures (their number and the first ones)."""
    running = hashlib.sha256(str(len(pixels_NHW3)).encode() + pixels_NHW3[:64].tobytes())
    for tensor in tower.state_dict().values():
        running.update(tensor.cpu().numpy().tobytes())
    return running.hexdigest()[:12]


def keep_features(tower: CLIPVisionModel, pixels_NHW3: np.ndarray, folder: Path) -> np.ndarray:
    """The tower's patch features of all pictures in half precision, computed once, kept on disk."""
    path = folder / f"features-{_made_of(tower, pixels_NHW3)}.npy"
    if path.exists():
        return np.load(path, mmap_mode="r")
    tower.to(device()).eval()
    patches = tower.embeddings.num_patches
    shape = (len(pixels_NHW3), patches, tower.config.hidden_size)
    partial = path.with_suffix(".partial")
    kept = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
    with torch.no_grad():
        for at in range(0, len(pixels_NHW3), 128):
            hidden = tower(to_model(pixels_NHW3[at : at + 128])).last_hidden_state[:, 1:]
            kept[at : at + 128] = hidden.half().cpu().numpy()
    kept.flush()
    partial.replace(path)
    return np.load(path, mmap_mode="r")


def facet_words(tokenizer: PreTrainedTokenizerFast) -> list[Tensor]:
    """For each facet, the token of each of its labels; the first, none, has no word."""
    found = []
    for labels in FACETS.values():
        ids = [tokenizer(word, add_special_tokens=False).input_ids for word in labels[1:]]
        if any(len(one) != 1 for one in ids):
            raise ValueError("a concept's word is not one token of this tokenizer")
        found.append(torch.tensor([0, *(one[0] for one in ids)]))
    return found


def alignment(
    projected_BPD: Tensor, embedding: nn.Embedding, labels_BPF: Tensor, words: list[Tensor]
) -> Tensor:
    """Cross-entropy of each labelled patch, as projected, against the words of each facet."""
    total = projected_BPD.new_zeros(())
    flat = F.normalize(projected_BPD.flatten(0, 1).float(), dim=-1)
    for f, ids in enumerate(words):
        labels = labels_BPF[..., f].flatten().long()
        some = labels > 0
        if not bool(some.any()):
            continue
        table = F.normalize(embedding(ids[1:].to(flat.device)).float(), dim=-1)
        total = total + F.cross_entropy(flat[some] @ table.T * 12, labels[some] - 1)
    return total / len(words)


def packed_loss(
    language: nn.Module, head: nn.Linear, embedded_BTD: Tensor, batch: Packed
) -> Tensor:
    """Cross-entropy of the answers, each answer weighted by the root of its length."""
    hidden = language(
        inputs_embeds=embedded_BTD,
        attention_mask=batch.mask,
        position_ids=batch.positions,
        use_cache=False,
    ).last_hidden_state
    said = batch.labels >= 0
    logits = head(hidden[said]).float()
    losses = F.cross_entropy(logits, batch.labels[said], reduction="none")
    weights = batch.weights[said]
    return (losses * weights).sum() / weights.sum()


def turn(tokenizer: PreTrainedTokenizerFast, asked: str, answer: str) -> Turn:
    """A question and its answer as a packed turn."""
    ids = tokenizer([asked + ASSISTANT, answer + EOS], add_special_tokens=False).input_ids
    return Turn(ids[0], ids[1])
