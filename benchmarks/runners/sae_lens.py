"""One run of SAELens' TopK trainer."""

from common import Task
from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.config import SAETrainerConfig
from sae_lens.training.sae_trainer import SAETrainer

task = Task()
sae = TopKTrainingSAE(
    TopKTrainingSAEConfig(d_in=task["width"], d_sae=task["features"], k=task["k"], device="cpu")
)
config = SAETrainerConfig(
    total_training_samples=len(task.train), train_batch_size_samples=task["batch"],
    lr=task["rate"], lr_end=task["rate"], device="cpu",
)  # fmt: skip
SAETrainer(config, sae, data_provider=task.batches()).fit()
task.finish(sae)
