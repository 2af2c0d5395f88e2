"""One run of dictionary_learning's TopK trainer."""

from common import Task
from dictionary_learning.trainers.top_k import TopKTrainer

task = Task()
trainer = TopKTrainer(
    steps=task["steps"], activation_dim=task["width"], dict_size=task["features"], k=task["k"],
    layer=0, lm_name="none", lr=task["rate"], warmup_steps=0, device="cpu",
)  # fmt: skip
for step, rows in enumerate(task.batches()):
    trainer.update(step, rows)
task.finish(trainer.ae)
