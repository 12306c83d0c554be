"""The training loop: Lightning drives, this says what a step, a check and a checkpoint are.

Every random choice follows from the seed and the number of the step, and every state that lasts is in the checkpoint:
a run that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from duretrieval.train import history
from duretrieval.train.batch import Batch, View
from duretrieval.train.checking import check, views_of
from duretrieval.train.mining import mine
from duretrieval.train.network import Network
from duretrieval.train.objective import Objective
from duretrieval.train.recipe import Fit
from duretrieval.train.rows import Order, Rows


class Training(pl.LightningModule):
    """One model on its way.

    groups: parameters and their learning rates, None for that of `fit`.  folder: where history is written.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        fit: Fit,
        seed: int,
        train: Rows,
        val: Rows,
        groups: Sequence[tuple[Sequence[nn.Parameter], float | None]],
        folder: Path,
    ) -> None:
        super().__init__()
        self.network, self.objective = network, objective
        self.fit, self.seed, self.train_rows, self.val_rows = fit, seed, train, val
        self.groups, self.folder = groups, folder
        self.order = Order(len(train), fit.batch, seed, fit.check_steps)
        self._losses: list[tuple[int, Tensor, float]] = []

    # ---- data

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches in their order; each device has its share."""
        self.order.rank, self.order.world = self.global_rank, self.trainer.world_size
        workers = self.fit.workers if self.train_rows.examples is not None else 0
        return DataLoader(self.train_rows, sampler=self.order, batch_size=None, num_workers=workers)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """A batch knows how to move itself."""
        return batch if device.type == "cpu" else batch.to(device)

    # ---- steps

    def on_train_epoch_start(self) -> None:
        """Another order, and another look for hard negatives."""
        if self.train_rows.examples is not None:
            self.train_rows.examples.set_epoch(self.current_epoch)
        if self.fit.hard_negatives and self.current_epoch % self.fit.mine_every == 0 and self.current_epoch > 0:
            views = views_of(self.network, self.train_rows, self.device)
            self.train_rows.mined = mine(views, self.train_rows.keys, self.fit.hard_negatives)

    def training_step(self, batch: Batch, number: int) -> Tensor:
        """The loss of a batch."""
        torch.manual_seed((self.seed * 1_000_003 + self.global_step) * 64 + self.global_rank)  # for dropout
        views: dict[str, View] = self.network(batch)
        if self.trainer.world_size > 1:
            views, batch = self._gathered(views, batch)
        loss: Tensor = self.objective(views, batch)
        self._losses.append((self.global_step + 1, loss.detach(), self.trainer.optimizers[0].param_groups[0]["lr"]))
        return loss

    def _gathered(self, views: dict[str, View], batch: Batch) -> tuple[dict[str, View], Batch]:
        """The rows of all devices, so that each row meets every other, as on one device."""

        def all_of(rows: Tensor, *, grads: bool = False) -> Tensor:
            gathered: Tensor = self.all_gather(rows, sync_grads=grads)
            return gathered.flatten(0, 1)

        whole = {name: View(all_of(v.rows, grads=True), all_of(v.present)) for name, v in views.items()}
        keys = all_of(batch.keys)
        return whole, Batch({}, {}, keys, all_of(batch.labels), all_of(batch.rows), len(keys))

    def on_train_epoch_end(self) -> None:
        """Check on the validation rows, and write down what happened since the last check."""
        figures = check(self.network, self.objective, self.val_rows, self.fit.monitor)
        self.log("monitor", figures["monitor"], rank_zero_only=True)
        rows: list[dict[str, Any]] = [{"step": step, "loss": float(loss), "lr": lr} for step, loss, lr in self._losses]
        self._losses = []
        if self.trainer.is_global_zero:
            checked = {"step": self.global_step, "epoch": self.current_epoch, "check": figures}
            history.append(self.folder, [*rows, checked])
            for logger in self.loggers:
                for row in rows:
                    logger.log_metrics({"loss": row["loss"], "lr": row["lr"]}, row["step"])
                logger.log_metrics({f"val/{name}": value for name, value in figures.items()}, self.global_step)

    # ---- optimiser

    def configure_optimizers(self) -> Any:
        """Groups with their own rates; biases, norms and scalars are not decayed; warm-up, then a cosine or level."""
        groups: list[dict[str, Any]] = []
        for parameters, lr in self.groups:
            for decayed in (True, False):
                chosen = [p for p in parameters if (p.ndim > 1) is decayed]
                if chosen:
                    decay = self.fit.weight_decay if decayed else 0.0
                    groups.append({"params": chosen, "lr": lr or self.fit.lr, "weight_decay": decay})
        if self.fit.optimizer == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, lr=self.fit.lr, momentum=0.9)
        else:
            optimizer = torch.optim.AdamW(groups, lr=self.fit.lr, fused=True)
        total = self.fit.epochs * self.order.steps
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total, self.fit))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    # ---- checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What is neither a parameter nor Lightning's own."""
        checkpoint["mined"] = self.train_rows.mined
        checkpoint["memory"] = self.objective.memory.state_dict() if self.objective.memory is not None else None

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The same back; history forgets what came after."""
        self.train_rows.mined = checkpoint["mined"]
        if self.objective.memory is not None:
            self.objective.memory.load_state_dict(checkpoint["memory"])
        if self.global_rank == 0:
            history.cut(self.folder, checkpoint["global_step"])


def _rate(step: int, total: int, fit: Fit) -> float:
    """The share of the learning rate at a step: linear warm-up, then half a cosine (Loshchilov & Hutter 2017) or 1."""
    warm = max(1, round(fit.warmup * total))
    if step < warm:
        return (step + 1) / warm
    if fit.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, total - warm))))


def trainer(fit: Fit, folder: Path, loggers: Iterable[Any], *, progress: bool, callbacks: Sequence[Any] = ()) -> Any:
    """Lightning, with our checks: the best checkpoint by `monitor`, the last one, and early stopping."""
    from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint, TQDMProgressBar

    found: list[Any] = [
        ModelCheckpoint(
            folder,
            "best",
            monitor="monitor",
            mode="max",
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
        *callbacks,
    ]
    if fit.patience:
        found.append(EarlyStopping("monitor", mode="max", patience=fit.patience, check_on_train_epoch_end=True))
    if progress:
        found.append(TQDMProgressBar(refresh_rate=10))
    return pl.Trainer(
        max_epochs=fit.epochs,
        accelerator=fit.accelerator,
        devices=fit.devices,
        strategy="ddp" if fit.devices > 1 else "auto",
        precision=fit.precision,
        gradient_clip_val=fit.clip or None,
        logger=list(loggers) or False,
        callbacks=found,
        default_root_dir=folder,
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
