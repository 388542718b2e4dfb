"""A network in training: what one batch does to it."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from engine.errors import ModelError
from engine.learning.checkpoint import build_network, put_weights
from engine.learning.checksums import check_content, unreadable
from engine.learning.losses import Loss
from engine.learning.models import ONNX_NETWORK, find_model
from engine.learning.processes import Processes
from engine.learning.runtime import is_out_of_memory
from engine.networks.blocks import in_channels_last
from engine.networks.network import Network
from engine.recipe import Recipe, TrainingRecipe

_HEAD_START = 10
"""Steps after which the running mean follows at half of its final slowness."""


class NotFinite(Exception):  # noqa: N818  (becomes a ModelError where the batch is known)
    """The loss or a gradient is NaN or infinite."""


class Learner:
    """A network with its optimiser and the running mean of its weights.

    Attributes:
        network: What is trained.
        average: The running mean of its weights; the network itself where the recipe has none.
        device: Where both are.
        step: Steps taken.
        learning_rate: Of the last step.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, loss: Loss, processes: Processes
    ) -> None:
        self._recipe = recipe
        self._loss = loss
        self._processes = processes
        self.device = processes.device
        self.step = 0
        self.learning_rate = 0.0
        self.network = in_channels_last(network)
        self._optimiser = make_optimiser(self.network, recipe.training, processes.device)
        processes.set_up(self.network, self._optimiser)
        self.average: nn.Module = self.network
        if recipe.training.average:
            self.average = copy.deepcopy(self.network).eval().requires_grad_(False)

    def learn(
        self,
        images: Tensor,
        possible: Tensor,
        *,
        seed: int,
        learning_rate: float,
        of: int = 1,
        last: bool = True,
    ) -> tuple[dict[str, float], Tensor]:
        """Learn from one batch, one of a group of `of`; the last of the group makes a step.

        Args:
            images: (b, c, y, x) or (b, 1, z, y, x).
            possible: Bits (b, [z,] y, x).
            seed: Of what is drawn at random, such as what drops out.
            learning_rate: Of the step.
            of: Batches whose gradients are averaged.
            last: Whether this is the last of them.

        Returns:
            `loss` and each of its terms, averaged over the processes, and the logits.

        Raises:
            NotFinite: The loss or the gradient is not a finite number; no step was taken.
        """
        images, possible = self.to_device(images, possible)
        self.network.train()
        with (
            self._processes.summing(enabled=not last),
            torch.random.fork_rng(devices=[]),
        ):
            torch.manual_seed(seed)
            logits = self._processes.forward(images)
            terms = self._loss.values(logits, possible)
            loss = self._loss.total(terms)
            found = torch.stack([loss, *terms.values()]).detach()
            values = self._processes.mean(found).tolist()
            if not all(map(_is_finite, values)):
                raise NotFinite
            self._processes.backward(loss / of)
        if last:
            self._take_step(learning_rate)
        return dict(zip(("loss", *terms), values, strict=True)), logits.detach()

    def _take_step(self, learning_rate: float) -> None:
        parameters = self._parameters
        norm = nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None)
        if not _is_finite(float(norm)):
            raise NotFinite
        if largest := self._recipe.training.clip_gradient:
            nn.utils.clip_grads_with_norm_(parameters, largest, norm)
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate
        self._optimiser.step()
        self._optimiser.zero_grad()
        self.learning_rate = learning_rate
        self.step += 1
        self._follow()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running mean towards the network; early on it follows faster."""
        if self.average is self.network:
            return
        decay = min(self._recipe.training.average, self.step / (self.step + _HEAD_START))
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for mean, now in pairs:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    @torch.inference_mode()
    def assess(self, images: Tensor, possible: Tensor) -> tuple[float, Tensor]:
        """The loss and the logits of the running mean on a batch nothing is learned from."""
        images, possible = self.to_device(images, possible)
        self.average.eval()
        with self._processes.autocast():
            logits: Tensor = self.average(images)
        logits = logits.float()
        return float(self._loss(logits, possible)), logits

    def to_device(self, images: Tensor, possible: Tensor) -> tuple[Tensor, Tensor]:
        """A batch where the network is, in the layout it likes."""
        device = self.device
        layout = torch.channels_last if images.ndim == 4 else torch.contiguous_format
        return images.to(device, memory_format=layout), possible.to(device)

    def largest_fitting(self, images: Tensor, possible: Tensor) -> int:
        """How many images of a batch the memory holds after it was too small for all; 0: none."""
        fitting = images.shape[0] // 2
        while fitting and not self._fits(images[:fitting], possible[:fitting]):
            fitting //= 2
        return fitting

    def _fits(self, images: Tensor, possible: Tensor) -> bool:
        self._optimiser.zero_grad()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            # The first step of an optimiser takes room that the forward pass does not show.
            room = [torch.empty_like(p) for p in self.network.parameters() for _ in range(2)]
            images, possible = self.to_device(images, possible)
            with self._processes.autocast():
                logits = self.network(images)
            self._loss(logits.float(), possible).backward()  # type: ignore[no-untyped-call]
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            self._optimiser.zero_grad()
        del room
        return True

    def state(self) -> dict[str, Tensor]:
        """All tensors that `restore` needs to go on from here."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        if self.average is not self.network:
            for name, value in self.average.state_dict().items():
                tensors[f"average.{name}"] = value
        for index, state in self._optimiser.state_dict()["state"].items():
            for name, value in state.items():
                if value is not None:
                    tensors[f"optimiser.{index}.{name}"] = value
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], *, step: int) -> None:
        """Take up what `state` gave.

        Raises:
            ModelError: It was made by another network or optimiser.
        """
        try:
            self.network.load_state_dict(_below(tensors, "network"))
            if self.average is not self.network:
                self.average.load_state_dict(_below(tensors, "average"))
            self._optimiser.load_state_dict(
                {
                    "state": self._optimiser_state(_below(tensors, "optimiser")),
                    "param_groups": self._optimiser.state_dict()["param_groups"],
                }
            )
        except (RuntimeError, KeyError, ValueError, IndexError) as error:
            raise ModelError(
                "The state of the stopped run does not fit its recipe.",
                hint="Train anew in another folder.",
            ) from error
        self.step = step

    @property
    def _parameters(self) -> list[Tensor]:
        parameters: list[Tensor] = self._optimiser.param_groups[0]["params"]
        return parameters

    def _optimiser_state(self, tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        parameters = self._parameters
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, field = name.split(".")
            state.setdefault(int(index), {})[field] = _laid_out_like(parameters[int(index)], value)
        return state


def start_network(recipe: Recipe, *, resumed: bool = False) -> Network:
    """The recipe's network as training begins.

    Its weights are drawn at random by the recipe's seed, or are those of the model that the
    recipe starts from.

    Args:
        recipe: What is trained.
        resumed: Whether weights of a stopped run will be put in, so that none are looked for.

    Raises:
        ModelError: The model to start from is missing, of another network, or was changed.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        network = build_network(recipe)
    if recipe.training.start and not resumed:
        _put_start(network, recipe)
    return network


def _put_start(network: Network, recipe: Recipe) -> None:
    """Put the weights of the model that a recipe starts from into its network."""
    training = recipe.training
    entry = find_model(training.start)
    path = entry.network_file
    if entry.recipe.network.name == ONNX_NETWORK:
        raise ModelError(
            f"{entry.name} is a network of others (ONNX), which cannot be trained.",
            hint="Start from a model that HeartSeg trained, or from random weights.",
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    digest = check_content(content, path)
    if training.start_hash not in ("", digest):
        raise ModelError(
            f"{path} is not the file that the recipe starts from any more.",
            hint="Put the model back, or set training.start_hash to its new SHA-256.",
        )
    put_weights(network, content, path)


def make_optimiser(network: nn.Module, training: TrainingRecipe, device: torch.device) -> Optimizer:
    """The recipe's optimiser for a network, with all its arithmetic in one kernel where it can."""
    parameters = [value for value in network.parameters() if value.requires_grad]
    fused = device.type in {"cpu", "cuda"}
    rate, decay = training.learning_rate, training.weight_decay
    if training.optimiser == "sgd":
        momentum = training.momentum
        return SGD(parameters, lr=rate, momentum=momentum, weight_decay=decay, fused=fused)
    kind = AdamW if training.optimiser == "adamw" else Adam
    return kind(parameters, lr=rate, eps=training.epsilon, weight_decay=decay, fused=fused)


def _is_finite(value: float) -> bool:
    return abs(value) < float("inf")  # NaN compares false


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """The value in the memory layout of its parameter, as the fused optimiser needs it."""
    if value.shape != parameter.shape:
        return value  # the step count
    return torch.empty_like(parameter).copy_(value).detach()
