"""An operator that turns intents into plans and keeps their components in line."""

from intent_operator.controller import Controller, Services
from intent_operator.model import Intent, Plan, Priority

__all__ = ["Controller", "Intent", "Plan", "Priority", "Services"]
