"""CLIP-score: how near a label's embedding is to those of a feature's pictures.

Mode `paper`: the random pictures come in 30 trials of 5. Mode `strict`: in many trials of as many
as were scored, so that the null's spread is that of the score. Embeddings are the caller's; the
published score takes unmasked pictures.

Knows vectors; nothing of models.

Shapes: E width of embeddings, N pictures, M pictures to draw from, D trials.
"""

from __future__ import annotations

import numpy as np

from sae_core.errors import UserError
from sae_core.scoring.estimate import Score
from sae_core.scoring.nulls import caption_null, drawn_null
from sae_core.scoring.overlap import Mode
from sae_core.scoring.resampling import Span, cases_of, mean
from sae_core.scoring.significance import DRAWS

PAPER_TRIALS = 30
PAPER_PICTURES = 5


def clip_scores(label_E: np.ndarray, picture_NE: np.ndarray) -> np.ndarray:
    """100 * max(cos, 0) for each picture [N]."""
    lengths_N = np.linalg.norm(picture_NE.astype(np.float64), axis=1)
    length = np.linalg.norm(label_E.astype(np.float64))
    every = np.append(lengths_N, length)
    if not (np.isfinite(every) & (every > 0)).all():
        raise UserError("An embedding is zero or not finite: it has no direction. Embed it again")
    cosine_N = (picture_NE.astype(np.float64) * label_E).sum(1) / (lengths_N * length)
    return 100 * cosine_N.clip(0, 1)


def clip_score(
    label_E: np.ndarray,
    picture_NE: np.ndarray,
    random_ME: np.ndarray,
    generic_E: np.ndarray,
    mode: Mode,
    seed: int = 0,
) -> Score:
    """Score a label against random pictures, and against a caption that fits any picture."""
    own_N, other_M = clip_scores(label_E, picture_NE), clip_scores(label_E, random_ME)
    generic_N, generic_M = clip_scores(generic_E, picture_NE), clip_scores(generic_E, random_ME)
    # Cosines of CLIP fill a small part of 0 to 100; an unseen picture is one like these.
    everything = np.concatenate([own_N, other_M, generic_N, generic_M])
    span = Span(float(everything.min()), float(everything.max()))
    score = mean(cases_of(own_N), span, seed)
    if mode == "paper":
        trials_D = _trials(other_M, PAPER_TRIALS, PAPER_PICTURES, seed)
    else:
        trials_D = _trials(other_M, DRAWS, len(own_N), seed)
    nulls = (
        drawn_null("random_pictures", score.value, trials_D, len(other_M)),
        caption_null(cases_of(own_N), cases_of(generic_N), span, seed),
    )
    return Score(**score.model_dump(), nulls=nulls)


def _trials(score_M: np.ndarray, trials: int, pictures: int, seed: int) -> np.ndarray:
    """The mean over different random pictures, trial by trial [D]."""
    if len(score_M) < pictures:
        raise UserError(
            f"{len(score_M)} random pictures are too few for trials of {pictures}. "
            "Give more pictures to draw from"
        )
    # Sorted, so that the order in which pictures came does not matter.
    score_M, rng = np.sort(score_M), np.random.default_rng(seed)
    return np.array([rng.choice(score_M, pictures, replace=False).mean() for _ in range(trials)])
