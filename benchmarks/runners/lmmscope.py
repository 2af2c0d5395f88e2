"""One run of our own trainer."""

from common import Task

from sae_core.coders.coder import CoderConfig
from sae_core.training.trainer import TrainConfig, Trainer

task = Task()
trainer = Trainer(
    CoderConfig(width=task["width"], features=task["features"], k=task["k"]),
    TrainConfig(
        steps=task["steps"], batch=task["batch"], rate=task["rate"], warmup=0, decay=0,
        dead_after=10_000_000,
    ),
)  # fmt: skip
for step, rows in enumerate(task.batches()):
    if step == 0:
        trainer.begin(rows)
    trainer.train_step(rows)
task.finish(trainer.coder.eval())
