"""The training loop: Lightning drives, this says what a step, a check and a checkpoint are.

Every random choice follows from the seed and the number of the step, and every state that lasts is in the checkpoint:
a run that was killed goes on as if nothing had happened.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from duretrieval.errors import ConfigError, Diverged
from duretrieval.training.build.network import Network
from duretrieval.training.build.objective import TotalLoss
from duretrieval.training.data.batch import Batch, View
from duretrieval.training.data.batches import Rows
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import BestAndLast, WholeFiles
from duretrieval.training.fit.chunks import encoded
from duretrieval.training.fit.known_pairs import remember_pairs
from duretrieval.training.fit.mining import mine
from duretrieval.training.fit.validation import check, views_of
from duretrieval.training.nets.score.mixed import Mixed
from duretrieval.training.recipe.recipe import Fit
from duretrieval.training.samplers.order import Order
from duretrieval.types import Ints


class Training(pl.LightningModule):
    """One model on its way.

    groups: parameters and their learning rates, None for that of `fit`.  folder: where history is written.  draw: as
    `Order` takes it.
    """

    def __init__(
        self,
        network: Network,
        objective: TotalLoss,
        fit: Fit,
        seed: int,
        train: Rows,
        val: Rows,
        groups: Sequence[tuple[Sequence[nn.Parameter], float | None]],
        folder: Path,
        draw: Callable[[int, int], Callable[[int], Ints]] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.objective = network, objective
        self.fit, self.seed, self.train_rows, self.val_rows = fit, seed, train, val
        self.groups, self.folder = groups, folder
        whole = fit.check_steps * fit.accumulate
        self.order = Order(len(train), fit.batch, seed, whole, world=fit.devices, group=fit.accumulate, draw=draw)
        self._losses: list[tuple[int, Tensor, float]] = []
        """Step, mean loss of its batches, learning rate"""

    def setup(self, stage: str) -> None:
        """Each of several devices is a process of its own, with warnings of its own."""
        if self.trainer.world_size > 1:
            hush()
            warnings.simplefilter("ignore")

    # ---- data

    def train_dataloader(self) -> DataLoader[Batch]:
        """Batches in their order; each device has its share."""
        self.order.rank = self.global_rank
        return _Ahead(self.train_rows, self.order)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """A batch knows how to move itself."""
        return batch if device.type == "cpu" else batch.to(device)

    def on_fit_start(self) -> None:
        """What every step asks for waits where the steps are made."""
        self.train_rows.keep_on(self.device)

    def on_fit_end(self) -> None:
        """And makes room for what comes after."""
        self.train_rows.keep_on(torch.device("cpu"))

    # ---- steps

    def on_train_start(self) -> None:
        """A pretrained net comes in evaluation mode, and Lightning would leave it there until the first check."""
        self.train()

    def on_train_epoch_start(self) -> None:
        """Another order, other windows and neighbours, and another look for hard negatives."""
        self.train_rows.set_epoch(self.current_epoch)
        if self.fit.hard_negatives and self._mines(self.current_epoch):
            views = views_of(self.network, self.train_rows, self.device)
            rows = self.train_rows
            rows.mined = mine(views, rows.positives, len(rows), self.fit.hard_negatives)

    def _mines(self, epoch: int) -> bool:
        """Whether `mine_every` further passes have ended since the epoch before began."""
        now, before = (self.order.passes(e) // self.fit.mine_every for e in (epoch, epoch - 1))
        return epoch > 0 and now > before

    def training_step(self, batch: Batch, number: int) -> Tensor:
        """The loss of a batch."""
        part = number % self.fit.accumulate  # of the step
        drawn = self.global_step * self.fit.accumulate + part
        _seed((self.seed * 1_000_003 + drawn) * 64 + self.global_rank, self.device)  # for dropout
        views = encoded(self.network, batch, self.fit.chunk)
        if self.trainer.world_size > 1:
            views, batch = self._gathered(views, batch)
        loss: Tensor = self.objective(views, batch, self.train_rows.positives, self.train_rows.taught)
        before = self._losses.pop()[1] if part else 0
        share = before + loss.detach() / self.fit.accumulate
        self._losses.append((self.global_step + 1, share, self.trainer.optimizers[0].param_groups[0]["lr"]))
        return loss

    def _gathered(self, views: dict[str, View], batch: Batch) -> tuple[dict[str, View], Batch]:
        """The rows of all devices, so that each row meets every other, as on one device.

        Each device has its own mined rows; they are made equally many, and those that are there twice count once.
        """
        n, mined = batch.anchors, len(batch.keys) - batch.anchors
        most = int(cast("Tensor", self.all_gather(torch.tensor(mined, device=batch.keys.device))).max())

        def all_of(rows: Tensor, *, fill: int = 0) -> Tensor:
            rows = torch.cat([rows, rows.new_full((most - mined, *rows.shape[1:]), fill)])
            gathered = cast("Tensor", self.all_gather(rows, sync_grads=rows.requires_grad))
            anchors = gathered[:, :n].transpose(0, 1).flatten(0, 1)  # in the order of the batch, as `Order` dealt them
            return torch.cat([anchors, gathered[:, n:].flatten(0, 1)])

        places = all_of(batch.rows, fill=-1)
        known: set[int] = {-1}
        new = torch.tensor([not (p in known or known.add(p)) for p in places.tolist()], device=places.device)  # type: ignore[func-returns-value]
        whole = {name: View(all_of(v.rows), all_of(v.present.long()).bool() & new) for name, v in views.items()}
        anchors = n * self.trainer.world_size
        scores = None if batch.scores is None else all_of(batch.scores)
        return whole, Batch({}, {}, all_of(batch.keys), all_of(batch.labels), places, anchors, scores=scores)

    def on_train_epoch_end(self) -> None:
        """Check on the validation rows, and write down what happened since the last check."""
        self._agree()
        losses, self._losses = self._losses, []
        rows: list[dict[str, Any]] = [{"step": step, "loss": float(loss), "lr": lr} for step, loss, lr in losses]
        if self.trainer.is_global_zero:
            history.append(self.folder, [row for row in rows if math.isfinite(row["loss"])])
        if not all(bool(p.isfinite().all()) for p in self.parameters()):
            raise self._diverged(next((r["step"] for r in rows if not math.isfinite(r["loss"])), self.global_step))
        if self.network.canonical is not None:
            self.network.canonical.forget()
            self.network.canonical.fit(*views_of(self.network, self.train_rows, self.device).values())
        if isinstance(self.objective.score, Mixed):
            remember_pairs(self.objective.score, self.network, self.train_rows, self.device)
        figures = check(self.network, self.objective, self.val_rows, self.fit.monitor, mixing=True)
        if not math.isfinite(figures["monitor"]):
            raise self._diverged(self.global_step)
        self.log("monitor", figures["monitor"])  # every device measures all rows, and decides alike
        if self.trainer.is_global_zero:
            history.append(self.folder, [{"step": self.global_step, "epoch": self.current_epoch, "check": figures}])
            for logger in self.loggers:
                for row in rows:
                    logger.log_metrics({"loss": row["loss"], "lr": row["lr"]}, row["step"])
                logger.log_metrics({f"val/{name}": value for name, value in figures.items()}, self.global_step)

    def _agree(self) -> None:
        """Each device has met its own files; all leave out the same."""
        if self.trainer.world_size > 1:
            everyones: list[Any] = [None] * self.trainer.world_size
            torch.distributed.all_gather_object(everyones, self.train_rows.left_out.reasons)
            for reasons in everyones:
                self.train_rows.left_out.update(reasons)

    def _diverged(self, step: int) -> Diverged:
        """Not said at the step itself: on an accelerator every look at a loss waits for it."""
        return Diverged(
            f"training came apart at step {step}: the loss or a parameter is no finite number any more. Try a smaller "
            f"fit.lr (it is {self.fit.lr:g}), a clip above 0 (it is {self.fit.clip:g}), and look at rows that are not "
            "finite themselves. The best check before that, if there was one, is kept and can be exported"
        )

    # ---- optimiser

    def configure_optimizers(self) -> Any:
        """Groups with their own rates; biases, norms and scalars are not decayed; warm-up, then a cosine or level."""
        groups: list[dict[str, Any]] = []
        for parameters, lr in self.groups:
            for decayed in (True, False):
                chosen = [p for p in parameters if (p.ndim > 1) is decayed]
                if chosen:
                    decay = self.fit.weight_decay if decayed else 0.0
                    rate = self.fit.lr if lr is None else lr
                    groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
        if self.fit.optimizer == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, lr=self.fit.lr, momentum=0.9)
        else:
            fused = self.fit.precision == "32"  # Lightning clips mixed precision only where the step is not fused
            optimizer = torch.optim.AdamW(groups, lr=self.fit.lr, fused=fused)
        total = self.order.epochs(self.fit.epochs) * self.order.steps // self.fit.accumulate
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, total, self.fit))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    # ---- checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What is neither a parameter nor Lightning's own."""
        mined = self.train_rows.mined
        checkpoint["mined"] = None if mined is None else torch.from_numpy(mined)
        self.train_rows.left_out.keep(checkpoint)
        checkpoint["memory"] = self.objective.memory.state_dict() if self.objective.memory is not None else None

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The same back; history forgets what came after."""
        self.train_rows.left_out.recall(checkpoint)
        mined = checkpoint["mined"]
        self.train_rows.mined = None if mined is None else mined.cpu().numpy()
        if self.objective.memory is not None:
            self.objective.memory.load_state_dict(checkpoint["memory"])
        if self.global_rank == 0:
            history.cut(self.folder, checkpoint["global_step"])


class _Ahead(DataLoader[Batch]):
    """Batches as `Rows` reads them ahead, from the first that is asked for on.

    Lightning asks a run that goes on for its batches before it says which epoch begins; what is read before would be
    that of epoch 0, without the rows that are mined at its start.
    """

    def __init__(self, rows: Rows, order: Order) -> None:
        super().__init__(rows, sampler=order, batch_size=None)
        self.rows, self.order = rows, order

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]  # Lightning wants an iterator, of any kind
        return self.rows.batches(self.order)


def hush() -> None:
    """Lightning tells of its products and of devices that are not there; what a user can act on our errors say."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _seed(seed: int, device: torch.device) -> None:
    """As `torch.manual_seed`, which on a machine without an accelerator writes down a stack for each kind of them."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def _rate(step: int, total: int, fit: Fit) -> float:
    """The share of the learning rate at a step: linear warm-up, then half a cosine (Loshchilov & Hutter 2017) or 1."""
    warm = max(1, round(fit.warmup * total))
    if step < warm:
        return (step + 1) / warm
    if fit.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, total - warm))))


def trainer(
    fit: Fit, epochs: int, folder: Path, loggers: Iterable[Any], *, progress: bool, callbacks: Sequence[Any] = ()
) -> Any:
    """Lightning, with our checks: the best checkpoint by `monitor`, the last one, and early stopping.

    epochs: of the steps between two checks.  Several devices are processes of their own, which Python starts anew: a
    script that trains on several needs `if __name__ == "__main__"`.

    Raises:
        ConfigError: the machine has no such accelerator, or not so many of them.
    """
    from pytorch_lightning.callbacks import EarlyStopping, TQDMProgressBar
    from pytorch_lightning.utilities.exceptions import MisconfigurationException

    found: list[Any] = [BestAndLast(folder), *callbacks]
    if fit.patience:
        found.append(EarlyStopping("monitor", mode="max", patience=fit.patience, check_on_train_epoch_end=True))
    if progress:
        found.append(TQDMProgressBar(refresh_rate=10))
    try:
        with warnings.catch_warnings(action="ignore"):  # of devices that are there and not wanted
            driver = pl.Trainer(
                max_epochs=epochs,
                accelerator=fit.accelerator,
                devices=fit.devices,
                strategy="ddp_spawn_find_unused_parameters_true" if fit.devices > 1 else "auto",
                plugins=[WholeFiles()],
                precision=fit.precision,
                accumulate_grad_batches=fit.accumulate,
                gradient_clip_val=fit.clip or None,
                logger=list(loggers) or False,
                callbacks=found,
                default_root_dir=folder,
                enable_progress_bar=progress,
                enable_model_summary=False,
                num_sanity_val_steps=0,
                use_distributed_sampler=False,
            )
    except (MisconfigurationException, ValueError) as error:
        raise ConfigError(
            f"fit.accelerator is {fit.accelerator!r}, with {fit.devices} devices and precision {fit.precision!r}, and "
            f"this machine cannot do that: {error}"
        ) from error
    if fit.precision.endswith("mixed") and driver.precision != fit.precision:
        raise ConfigError(
            f"fit.precision is {fit.precision!r}, and on this machine it would be {driver.precision!r} (16 bits need a "
            f'GPU). Set fit.precision = "{driver.precision}", or "32"'
        )
    return driver
