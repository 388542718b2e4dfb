"""A U-Net whose encoder may have learned on other images before; the one door to MONAI's nets."""

import re
from pathlib import Path
from typing import Literal

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.errors import ModelError
from engine.networks.network import Network

_FIRST = frozenset({"conv1.weight", "_conv_stem.weight"})  # the kernels that see the image


class PretrainedUNet(Network):
    """MONAI's FlexibleUNet with a ResNet-34 or EfficientNet-B0 as encoder.

    Nothing is ever downloaded: weights come from a local file or are random. Shape:
    (b, in_channels, y, x) -> (b, classes, y, x); y and x are multiples of `stride`.

    Args:
        in_channels: Channels of the image. A first convolution trained on another number is
            averaged over its channels and scaled, as if every channel held the same grey image.
        classes: Channels of the answer.
        backbone: The encoder.
        weights: Path of a safetensors file with the encoder's weights, named as in torchvision's
            ResNet-34 or in EfficientNet-PyTorch, or a file of this network; empty for random
            weights. The classifier of such a file is left out.

    Raises:
        ModelError: The file of weights is absent, damaged or of another encoder.
    """

    title = "U-Net with a ResNet-34 or EfficientNet-B0 encoder (MONAI FlexibleUNet)"

    def __init__(
        self,
        *,
        in_channels: int,
        classes: int,
        backbone: Literal["resnet34", "efficientnet-b0"] = "resnet34",
        weights: str = "",
    ) -> None:
        super().__init__()
        # MONAI takes seconds to import; who does not use this network does not wait for it.
        from monai.networks.nets.flexible_unet import FlexibleUNet

        self.stride = 32
        self.network = FlexibleUNet(
            in_channels=in_channels, out_channels=classes, backbone=backbone, pretrained=False
        )
        encoder = self.network.encoder
        if backbone == "resnet34":
            _add_shortcuts(encoder)
        else:
            _drop_classifier(encoder)
        if weights:
            _load_encoder(encoder, Path(weights))

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of every pixel, (b, classes, y, x)."""
        logits: Tensor = self.network(x)
        return logits


def _add_shortcuts(encoder: nn.Module) -> None:
    """Make MONAI's ResNet-34 the one of He et al. 2016, whose published weights then fit.

    MONAI pads the shortcut with zeros where the channels double, and cuts its gradient; the
    published network has a 1x1 convolution with normalisation there.
    """
    for stage in (encoder.layer2, encoder.layer3, encoder.layer4):
        assert isinstance(stage, nn.Sequential)
        main = stage[0].conv1
        assert isinstance(main, nn.Conv2d)
        side = nn.Conv2d(main.in_channels, main.out_channels, 1, stride=2, bias=False)
        nn.init.kaiming_normal_(side.weight, mode="fan_out", nonlinearity="relu")
        stage[0].downsample = nn.Sequential(side, nn.BatchNorm2d(main.out_channels))


def _drop_classifier(encoder: nn.Module) -> None:
    """Take out the layers behind the last map: no gradient would ever reach them."""
    for unused in ("_conv_head", "_bn1", "_fc"):
        setattr(encoder, unused, nn.Identity())


def _load_encoder(encoder: nn.Module, path: Path) -> None:
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"The encoder's weights {path} cannot be read: {str(error).splitlines()[0]}.",
            hint="Give the path of a safetensors file, or no weights for a random start.",
        ) from error
    ours = "network.encoder."  # a file of this whole network
    if any(name.startswith(ours) for name in found):
        found = {name.removeprefix(ours): tensor for name, tensor in found.items()}
    state = encoder.state_dict()
    for name, wanted in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        tensor = found.get(name, found.get(_flat_name(name)))
        if tensor is not None and name in _FIRST:
            tensor = _fit_channels(tensor, wanted.shape[1])
        if tensor is None or tensor.shape != wanted.shape:
            raise ModelError(
                f"The weights {path} are not of this encoder: {name} is absent or of another size.",
                hint="Give the weights of the network's backbone.",
            )
        state[name] = tensor
    encoder.load_state_dict(state)


def _flat_name(name: str) -> str:
    """The name in EfficientNet-PyTorch, which counts blocks through all stages."""
    return re.sub(r"^_blocks\.\d+\.(\d+\.)", r"_blocks.\1", name)


def _fit_channels(kernel: Tensor, in_channels: int) -> Tensor:
    """A kernel (out, n, y, x) for a number of channels that all hold the same image."""
    if kernel.ndim != 4 or kernel.shape[1] == in_channels:
        return kernel
    mean = kernel.mean(dim=1, keepdim=True) * (kernel.shape[1] / in_channels)
    return mean.expand(-1, in_channels, -1, -1).clone()
