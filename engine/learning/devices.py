"""What a network can be trained on here, tried and told in words."""

import torch

from engine.learning.apart.outlook import DeviceFact
from engine.learning.execution.machine import look_at_machine
from engine.learning.runtime import describe_device, gains_from_bf16

_SIDE = 64  # of the matrices that are multiplied as a test


def survey_devices() -> tuple[DeviceFact, ...]:
    """The processor and the GPU, each tried with a small sum of products."""
    return (_processor(), _graphics())


def _processor() -> DeviceFact:
    device, machine = torch.device("cpu"), look_at_machine()
    helps = ", ".join(machine.instructions) or "no instructions that help"
    cores = "1 core" if machine.threads == 1 else f"{machine.threads} cores"
    bits = "bf16 is quicker" if gains_from_bf16(device) else "32 bits"
    right = computes_rightly(device)
    said = f"{cores}, {helps}, {bits}" if right else "it computes wrongly in PyTorch"
    return DeviceFact("cpu", machine.processor, right, said)


def _graphics() -> DeviceFact:
    title = "GPU (CUDA)"
    if torch.version.cuda is None:
        return DeviceFact("cuda", title, False, "this PyTorch was built for processors only")
    try:
        if not torch.cuda.is_available():
            torch.cuda.init()  # type: ignore[no-untyped-call]  # says why
            return DeviceFact("cuda", title, False, "PyTorch finds none")
        device = torch.device("cuda")
        free, total = (room / 2**30 for room in torch.cuda.mem_get_info())
        if not computes_rightly(device):
            return DeviceFact("cuda", describe_device(device), False, "it computes wrongly")
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        return DeviceFact("cuda", title, False, reason[:1].lower() + reason[1:].rstrip("."))
    bits = ", bf16 is quicker" if gains_from_bf16(device) else ""
    said = f"{free:.1f} of {total:.1f} GiB are free{bits}"
    return DeviceFact("cuda", describe_device(device), True, said)


def computes_rightly(device: torch.device) -> bool:
    """Whether a device multiplies matrices of whole numbers as one does on paper."""
    numbers = torch.arange(_SIDE * _SIDE, dtype=torch.float32).reshape(_SIDE, _SIDE) % 7
    found = (numbers.to(device) @ numbers.to(device).T).cpu()
    exact = numbers.long() @ numbers.long().T
    return bool(torch.equal(found.long(), exact))
