"""Compiles `playbook.yaml` into the Amazon States Language machine that runs it inside the safety envelope."""

from infra.compiler.limits import UnfitPlaybook, UnsoundMachine, action_timeout
from infra.compiler.machine import compile_playbook

__all__ = ["UnfitPlaybook", "UnsoundMachine", "action_timeout", "compile_playbook"]
