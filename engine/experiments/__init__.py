"""Published studies run again: grids of trainings, their scores and figures beside the printed."""
