"""How much worse than the active model a candidate may be, and still be adopted."""

from pydantic import BaseModel, ConfigDict, Field


class Rules(BaseModel):
    """How much worse than the active model a candidate may be, and still be adopted.

    A little slack is needed: on few patients two equally good models never score the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dice: float = Field(default=0.005, ge=0, le=1, description="Mean Dice of a structure.")
    basal_dice: float = Field(default=0.01, ge=0, le=1, description="Mean Dice at the base.")
    error_ml: float = Field(
        default=0.5, ge=0, description="Mean absolute volume error of a structure [ml]."
    )
    ef_bias_points: float = Field(
        default=0.5, ge=0, description="Size of the bias of an ejection fraction [points]."
    )
    ef_limits_points: float = Field(
        default=0.5,
        ge=0,
        description="Half width of the limits of agreement of an ejection fraction [points].",
    )
    must_improve: bool = Field(
        default=True, description="Whether the mean Dice of all structures has to rise."
    )
    excuse_chance: bool = Field(
        default=True,
        description="Whether a loss that may be chance is excused, if the mean Dice surely rises.",
    )
    most_excused: float = Field(
        default=4.0, ge=1, description="An excused loss is at most so many times its slack."
    )
