"""AlphaGo on disk: agent.json says what it is, weights.safetensors holds all networks and linear policies.

The names of tensors begin with whose they are: ``policy.``, ``reinforced.`` and ``value.`` networks, ``rollout.`` and
``tree.`` policies (patterns and weights).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sakiyomi.agents.alphago.guides import Parts
from sakiyomi.agents.alphago.patterns import Patterns
from sakiyomi.agents.alphago.policy import PolicyNet
from sakiyomi.agents.alphago.rollout import RolloutPolicy
from sakiyomi.agents.alphago.tree_policy import TreePolicy
from sakiyomi.agents.alphago.value import ValueNet
from sakiyomi.agents.parts.runs.agent_files import DAMAGE, damaged, load_agent, save_agent
from sakiyomi.boards.catalog import make_game
from sakiyomi.boards.go import Go

KIND = "alphago"
NETS: dict[str, type[PolicyNet] | type[ValueNet]] = {
    "policy": PolicyNet,
    "reinforced": PolicyNet,
    "value": ValueNet,
}
LINEAR: dict[str, type[RolloutPolicy] | type[TreePolicy]] = {"rollout": RolloutPolicy, "tree": TreePolicy}
CODES = ("rings", "responses", "diamonds")


def save_parts(folder: Path, game: Go, parts: Parts, config: Mapping[str, Any]) -> None:
    """Write an agent into `folder`, each file whole or not at all."""
    tensors: dict[str, Tensor] = {}
    nets = {name: net for name in NETS if (net := getattr(parts, name)) is not None}
    for name, net in nets.items():
        tensors |= {f"{name}.{key}": weight for key, weight in net.state_dict().items()}
    for name in LINEAR:
        if (policy := getattr(parts, name)) is not None:
            tensors |= {f"{name}.{key}": tensor for key, tensor in linear_tensors(policy).items()}
    settings = {name: net.settings() for name, net in nets.items()}
    save_agent(folder, KIND, {"game": game.name, "nets": settings, "config": dict(config)}, tensors)


def load_parts(folder: Path) -> tuple[Go, Parts, dict[str, Any]]:
    """The game, the parts and the configuration of the agent in `folder`. Raises ValueError if there is none."""
    described, tensors = load_agent(folder, KIND)
    try:
        game = make_game(described["game"])
        if not isinstance(game, Go):
            raise ValueError(f"{described['game']} is not Go")
        found: dict[str, Any] = {name: _net(name, game, described, tensors) for name in described["nets"]}
        for name in LINEAR:
            if any(key.startswith(f"{name}.") for key in tensors):
                found[name] = linear_policy(name, _named(tensors, name))
        return game, Parts(**found), dict(described["config"])
    except DAMAGE as error:
        raise damaged(folder, error) from error


def value_network(folder: Path, game: Go) -> ValueNet:
    """The value network of the agent in `folder`. Raises ValueError if it has none, or one for another board."""
    learnt, parts, _ = load_parts(folder)
    if parts.value is None or learnt.size != game.size:
        raise ValueError(f"the agent in {folder} ({learnt.name}) has no value network for {game.name}")
    return parts.value


def linear_tensors(policy: RolloutPolicy | TreePolicy) -> dict[str, Tensor]:
    """What a linear policy is made of."""
    codes = {name: getattr(policy.patterns, name) for name in CODES}
    held = {name: torch.from_numpy(part.view("int64").copy()) for name, part in codes.items() if part is not None}
    return {**held, "weights": torch.from_numpy(policy.weights.copy())}


def linear_policy(name: str, tensors: Mapping[str, Tensor]) -> RolloutPolicy | TreePolicy:
    """The policy of those tensors, a `name` "rollout" or "tree". Raises KeyError, TypeError or ValueError."""
    held = {key: tensor.numpy().copy() for key, tensor in tensors.items()}
    weights = held.pop("weights")
    return LINEAR[name](Patterns(**{key: codes.view("uint64") for key, codes in held.items()}), weights)


def _net(name: str, game: Go, described: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    settings = dict(described["nets"][name])
    settings["planes"] = tuple(settings["planes"])
    if settings["planes"][1:] != game.planes[1:]:
        raise ValueError(f"its {name} network is not one for {game.name}")
    net = NETS[name](**settings)
    net.load_state_dict(_named(tensors, name))
    move: Any = net.eval().to  # PyTorch's own types leave memory formats out
    made: nn.Module = move(memory_format=torch.channels_last)
    return made


def _named(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}
