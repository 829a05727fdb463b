"""A student of the teacher's own layers: how it is cut out, its losses, and its state on disk."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.functional import cosine_similarity, cross_entropy, kl_div, log_softmax, normalize, softmax

from encoder_data import Pair
from smarttriage.adapters.encoders.text import tokenizable
from smarttriage.domain.text import MAX_CHARS

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the ranking loss adds up.

    Attributes:
        scale: Factor of the cosines before the softmax.
        teacher_weight: Weight of the questions' pull to the vectors of the model that the student started from.
        guide_weight: Weight of learning how the guide ranks the answers of the batch for each question.
        guide_scale: Factor of the guide's cosines before the softmax.
        dims: Leading dimensions that must rank well by themselves (Kusupati et al., Matryoshka representation learning, 2022), with weights.
    """

    scale: float
    teacher_weight: float
    guide_weight: float
    guide_scale: float
    dims: Mapping[int, float]


def student_of(teacher: Any, layers: Sequence[int]) -> Any:
    """Return a copy of the teacher with these layers only; its word embeddings are shared in value and stay as they are."""
    student = copy.deepcopy(teacher)
    student.encoder.layer = torch.nn.ModuleList(student.encoder.layer[at] for at in layers)
    student.config.num_hidden_layers = len(layers)
    for parameter in student.embeddings.parameters():
        parameter.requires_grad = False
    return student


def narrow(student: Any, width: int, batch: Batch) -> None:
    """Keep the `width` neurons of each feed-forward layer that say most on these texts: mean size of what they say x size of their weights."""
    for layer in student.encoder.layer:
        said: list[torch.Tensor] = []
        hook = layer.intermediate.register_forward_hook(lambda _module, _given, out, said=said: said.append(out.abs()))
        with torch.no_grad():
            hidden_of(student, batch)
        hook.remove()
        mean = said[0][batch[1].bool()].mean(0)
        kept = (mean * layer.output.dense.weight.norm(dim=0)).topk(width).indices.sort().values
        wide, back = layer.intermediate.dense, layer.output.dense
        wide.weight, wide.bias = torch.nn.Parameter(wide.weight[kept]), torch.nn.Parameter(wide.bias[kept])
        back.weight = torch.nn.Parameter(back.weight[:, kept])
        wide.out_features = back.in_features = width
    student.config.intermediate_size = width


def blend(student: Any, start: Mapping[str, torch.Tensor], share: float) -> None:
    """Put the student's weights at `share` of the way from where it started (Wortsman et al., Robust fine-tuning, 2022)."""
    with torch.no_grad():
        for name, tensor in student.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(start[name].to(tensor.device), 1 - share)


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
    student: Any,
    teacher: Any,
    pairs: Sequence[Pair],
    texts: tuple[Batch, Batch],
    *,
    ranking: Ranking,
    guide: Callable[[Sequence[str]], torch.Tensor] | None = None,
) -> tuple[torch.Tensor, float]:
    """Return the multiple-negatives loss in both directions with what `ranking` adds to it; and its accuracy.

    Henderson et al., 2017 (arXiv:1705.00652). An answer that is right for another question of the batch is no negative of it.
    """
    asked, answers = (pooled(hidden_of(student, batch), batch[1]) for batch in texts)
    same = torch.tensor([[i != j and b.record in a.right for j, b in enumerate(pairs)] for i, a in enumerate(pairs)])
    target = torch.arange(len(pairs), device=asked.device)
    loss, right = torch.zeros((), device=asked.device), 0.0
    for dim, weight in ranking.dims.items():
        scores = normalize(asked[:, :dim], dim=1) @ normalize(answers[:, :dim], dim=1).T * ranking.scale
        scores = scores.masked_fill(same.to(asked.device), float("-inf"))
        loss = loss + weight * (cross_entropy(scores, target) + cross_entropy(scores.T, target)) / 2
        right = float((scores.argmax(1) == target).float().mean()) if dim == asked.shape[1] else right
    if ranking.teacher_weight:
        with torch.no_grad():
            wanted = pooled(hidden_of(teacher, texts[0]), texts[0][1])
        loss = loss + ranking.teacher_weight * (1 - (asked * wanted).sum(1)).mean()
    if guide is not None and ranking.guide_weight:
        theirs = guide([pair.question for pair in pairs]) @ guide([pair.answer for pair in pairs]).T
        loss = loss + ranking.guide_weight * guided(asked @ answers.T, theirs.to(asked.device), ranking)
    return loss, right


def guided(mine: torch.Tensor, theirs: torch.Tensor, ranking: Ranking) -> torch.Tensor:
    """Return how far the student's ranking of the batch is from the guide's, both ways, as a divergence of the softmaxes."""
    pairs = ((mine, theirs), (mine.T, theirs.T))
    terms = [
        kl_div(log_softmax(own * ranking.scale, 1), softmax(their * ranking.guide_scale, 1), reduction="batchmean")
        for own, their in pairs
    ]
    return torch.stack(terms).mean()


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
