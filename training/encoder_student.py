"""A student of the teacher's own layers: its loss against the teacher, its ranking loss, and its state on disk."""

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.functional import cosine_similarity, cross_entropy, normalize

from encoder_data import Pair
from smarttriage.adapters.encoders.text import tokenizable
from smarttriage.domain.text import MAX_CHARS

Batch = tuple[torch.Tensor, torch.Tensor]


def student_of(teacher: Any, layers: Sequence[int]) -> Any:
    """Return a copy of the teacher with these layers only; its word embeddings are shared in value and stay as they are."""
    student = copy.deepcopy(teacher)
    student.encoder.layer = torch.nn.ModuleList(student.encoder.layer[at] for at in layers)
    student.config.num_hidden_layers = len(layers)
    for parameter in student.embeddings.parameters():
        parameter.requires_grad = False
    return student


def tokenized(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of each text."""
    return [encoding.ids for encoding in tokenizer.encode_batch([tokenizable(text, MAX_CHARS) for text in texts])]


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> Batch:
    """Return (n, longest) token ids and their mask."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    return ids.to(device), mask.to(device)


def hidden_of(model: Any, batch: Batch) -> torch.Tensor:
    """Return (n, tokens, dim) last hidden states."""
    states: torch.Tensor = model(input_ids=batch[0], attention_mask=batch[1]).last_hidden_state
    return states.float()


def pooled(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return (n, dim) sentence vectors of norm 1."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


def distil_loss(
    student: Any, teacher: Any, batch: Batch, *, token_weight: float, sentence_weight: float
) -> tuple[torch.Tensor, float]:
    """Return 1 - cosine to the teacher, of the tokens and of the sentence, weighted; and the mean sentence cosine."""
    with torch.no_grad():
        wanted = hidden_of(teacher, batch)
    mine = hidden_of(student, batch)
    tokens = 1 - cosine_similarity(mine, wanted, dim=2)[batch[1].bool()].mean()
    cosine = (pooled(mine, batch[1]) * pooled(wanted, batch[1])).sum(1).mean()
    return token_weight * tokens + sentence_weight * (1 - cosine), float(cosine.detach())


def ranking_loss(
    student: Any, teacher: Any, pairs: Sequence[Pair], texts: tuple[Batch, Batch], *, scale: float, teacher_weight: float
) -> tuple[torch.Tensor, float]:
    """Return the multiple-negatives loss in both directions with a pull of the questions to the teacher; and its accuracy.

    Henderson et al., 2017 (arXiv:1705.00652). An answer that is right for another question of the batch is no negative of it.
    """
    asked, answers = (pooled(hidden_of(student, batch), batch[1]) for batch in texts)
    same = [[i != j and b.record in a.right for j, b in enumerate(pairs)] for i, a in enumerate(pairs)]
    scores = (asked @ answers.T * scale).masked_fill(torch.tensor(same, device=asked.device), float("-inf"))
    target = torch.arange(len(pairs), device=asked.device)
    loss = (cross_entropy(scores, target) + cross_entropy(scores.T, target)) / 2
    with torch.no_grad():
        wanted = pooled(hidden_of(teacher, texts[0]), texts[0][1])
    loss = loss + teacher_weight * (1 - (asked * wanted).sum(1)).mean()
    return loss, float((scores.argmax(1) == target).float().mean())


def save_state(folder: Path, student: Any, optimizer: torch.optim.Optimizer, facts: dict[str, Any]) -> None:
    """Write weights, optimiser and facts; each file replaces the last at once, the facts last."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in student.state_dict().items()}
    for at, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{at}.{name}": torch.as_tensor(value) for name, value in state.items()}
    scratch = folder / "state.tmp"
    save_file(tensors, scratch, metadata={"facts": json.dumps(facts)})
    scratch.replace(folder / "state.safetensors")
    (folder / "facts.json").write_text(json.dumps(facts, indent=1), "utf-8")


def load_state(folder: Path, student: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
    """Return the facts of a saved state after putting it into place; None where there is none."""
    path = folder / "state.safetensors"
    if not path.is_file():
        return None
    tensors = load_file(path)
    student.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, at, key = name.split(".", 2)
            state.setdefault(int(at), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text("utf-8"))
    return facts
