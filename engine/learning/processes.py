"""One process or several that train together: the only door to Lightning Fabric.

With several, each runs the same program on its share of every batch and the gradients are
averaged; the first alone writes. On one machine the first process starts the others by running
the same command line again, so that only the command line may ask for more than one. Under
`torchrun` or a cluster's own starter the processes are there already.
"""

import gc
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.errors import HeartSegError, ModelError
from engine.learning.runtime import Precision, count_cores, is_out_of_memory

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule


class FollowerStopped(Exception):  # noqa: N818  (the process that failed tells why)
    """This process trained along with others and ends because another one does."""


class Processes:
    """The processes of one training, seen from one of them.

    Attributes:
        device: Where this one computes.
        precision: What it computes in.
        rank: Its number; 0 is the first.
        count: How many there are.
    """

    def __init__(self, fabric: "Fabric", precision: Precision) -> None:
        self._fabric = fabric
        self.device = fabric.device
        self.precision = precision
        self.rank = fabric.global_rank
        self.count = fabric.world_size
        self._wrapped: nn.Module | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def set_up(self, network: nn.Module, optimiser: Optimizer) -> None:
        """Move a network to the device; from now on `forward` and `backward` train it."""
        if self.count > 1:  # it warns of the layout of channels-last weights
            warnings.filterwarnings("ignore", "Grad strides do not match", UserWarning)
        self._wrapped, _ = self._fabric.setup(network, optimiser)

    def forward(self, images: Tensor) -> Tensor:
        """The network's logits, in 32 bits, whose gradients the processes will share."""
        assert self._wrapped is not None
        logits: Tensor = self._wrapped(images)
        return logits

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss."""
        self._fabric.backward(loss)

    def summing(self, *, enabled: bool) -> AbstractContextManager[None]:
        """While enabled, gradients add up in this process without the others' being asked."""
        context: AbstractContextManager[None] = self._fabric.no_backward_sync(
            cast("_FabricModule", self._wrapped), enabled=enabled and self.count > 1
        )
        return context

    def close(self) -> None:
        """Let go of the network's wrapper, which must be gone before the processes' talk ends.

        It holds the talk. Were it the last to do so, it would end it with the interpreter's lock
        held, and wait forever for a thread that waits for the lock (PyTorch 2.13 with Gloo).
        """
        self._wrapped = None
        if self.count > 1:
            gc.collect()

    def autocast(self) -> AbstractContextManager[None]:
        """Compute in `precision` inside."""
        context: AbstractContextManager[None] = self._fabric.autocast()
        return context

    def mean(self, values: Tensor) -> Tensor:
        """The mean of the processes' values, which all must give."""
        return self._reduce(values, "mean")

    def sum(self, values: Tensor) -> Tensor:
        """The sum of the processes' values, which all must give."""
        return self._reduce(values, "sum")

    def gather(self, values: Tensor) -> Tensor:
        """The values of all processes, (n,) each, one after the other."""
        if self.count == 1:
            return values
        gathered = self._fabric.all_gather(values.to(self.device))
        return cast(Tensor, gathered).flatten()

    def agree(self, error: Exception | None) -> None:
        """Go on only if no process has an error; all must ask.

        Raises:
            Exception: This process's own error, unless the first process has one to tell.
            FollowerStopped: Another process has one.
        """
        if self.count > 1:
            failed = error is not None
            flags = self.sum(torch.tensor([failed, failed and self.is_first], dtype=torch.int32))
            anywhere, first = flags.tolist()
            if (first and not self.is_first) or (anywhere and error is None):
                raise FollowerStopped from error
        if error is not None:
            raise error

    @contextmanager
    def together(self) -> Iterator[None]:
        """What the user can cause inside ends all processes, as in `agree`; all must enter.

        Inside, no process may wait for another.
        """
        fault: HeartSegError | None = None
        try:
            yield
        except HeartSegError as error:
            fault = error
        self.agree(fault)

    def _reduce(self, values: Tensor, how: str) -> Tensor:
        if self.count == 1:
            return values
        return cast(Tensor, self._fabric.all_reduce(values.to(self.device), reduce_op=how))


@contextmanager
def start_processes(
    device: torch.device,
    precision: Precision,
    *,
    devices: int = 1,
    nodes: int = 1,
    threads: int | None = None,
) -> Iterator[Processes]:
    """Start the processes of a training, and end their talk when the block ends.

    Args:
        device: Its kind is that of all processes.
        precision: What to compute in.
        devices: Processes on this machine. Under `torchrun` its own number counts.
        nodes: Machines; each is given the same command line, with MASTER_ADDR and NODE_RANK set.
        threads: Of each process on a CPU; None shares the cores out.

    Raises:
        ModelError: There are not so many devices, or another process failed.
    """
    devices, nodes = _planned(devices, nodes)
    alone = devices * nodes == 1
    if device.type == "cuda" and torch.cuda.device_count() < devices:
        raise ModelError(
            f"There are {torch.cuda.device_count()} GPUs, not {devices}.",
            hint="Give --devices a smaller number, or --device cpu.",
        )
    fabric = _make_fabric(device, precision, devices, nodes)
    if not alone:
        fabric.launch()
    before = torch.get_num_threads()
    if device.type == "cpu" and (threads or not alone):
        torch.set_num_threads(threads or max(1, count_cores() // devices))
    processes = Processes(fabric, precision)
    try:
        yield processes
    except RuntimeError as error:
        if alone or is_out_of_memory(error) or "gloo" not in str(error).lower():
            raise
        raise ModelError(
            "Another process of this training ended.",
            hint="Its own message says why; --resume goes on from the last whole epoch.",
        ) from error
    finally:
        torch.set_num_threads(before)
        processes.close()
        if not alone and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def is_first_process() -> bool:
    """Whether this process would be the first of its training; asks the environment only."""
    rank = os.environ.get("RANK")
    if rank is not None:
        return int(rank) == 0
    return all(int(os.environ.get(name, "0")) == 0 for name in ("LOCAL_RANK", "NODE_RANK"))


def _planned(devices: int, nodes: int) -> tuple[int, int]:
    """Processes a machine and machines, as `torchrun` started them where it did."""
    if not torch.distributed.is_available() or not torch.distributed.is_torchelastic_launched():
        return devices, nodes
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def _make_fabric(device: torch.device, precision: Precision, devices: int, nodes: int) -> "Fabric":
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # or it greets the user
    return Fabric(
        accelerator=device.type,
        devices=devices,
        num_nodes=nodes,
        strategy="auto" if devices * nodes == 1 else "ddp",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
