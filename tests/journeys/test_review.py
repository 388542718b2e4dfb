"""From a prediction to an approved report: correct three slices, carry one on, approve, report."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.cli import main
from engine.progress import run_to_end
from engine.review.states import SliceState
from engine.study import StoredLabels
from heartseg_gui.app import Window
from heartseg_gui.controllers.opening import read_steps
from heartseg_gui.controllers.prediction import predict_steps
from heartseg_gui.controllers.saving import save_steps
from heartseg_gui.documents.tool_state import Tool
from resources import resource_path
from tests.gui.hands import here, key, plane, stroke
from tests.gui.review_answers import ReviewAnswers
from tests.gui.shell import PreparedAnswers, open_shell

_PATIENCE_MS = 240_000

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(
        not any(resource_path("models").glob("*/weights.safetensors")),
        reason="no model in resources/models yet",
    ),
]
