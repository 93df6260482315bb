"""The demo: three players on a stage, and the story of a hotel day that they play."""

from gateway.demo.lodge import play_lodge
from gateway.demo.stage import ROOMS, STAGES, TIMEZONE, LodgeStage, Stage, stage
from gateway.demo.story import play

__all__ = ["ROOMS", "STAGES", "TIMEZONE", "LodgeStage", "Stage", "play", "play_lodge", "stage"]
