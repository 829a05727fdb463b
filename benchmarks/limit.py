"""How near the encoder is to what a core can do: its multiply-adds over the most that one thread multiplies and adds here.

    python benchmarks/limit.py [--runs 60]

The multiply-adds are counted from the shapes of the model's matrices (projections and feed-forward of each layer, and attention, which grows
with the square of the length); look-ups, norms and softmax are not counted, so the share is a lower bound. The peak is measured in the same run:
the fastest of many runs of one large matrix product in ONNX Runtime on one thread, int8 (as the encoder's matrices are) and fp32.
Needs the `train` extra (onnx).
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from latency import TOKENS, text_of
from report import write_results
from smarttriage.adapters.encoders.manifest import MODEL
from smarttriage.adapters.encoders.onnx import feed
from smarttriage.bootstrap import parts

SIZE = 1_536
REPEATS = 40


def main() -> None:
    """Run everything and write benchmarks/results/limit.json and .md."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=60)
    chosen = options.parse_args()
    folder = parts.encoder_folder()
    weights, layers, width = shapes(str(folder / MODEL))
    peak = {"int8": fastest(product(np.int8)), "fp32": fastest(product(np.float32))}
    encoder = parts.encoder(n_threads=1)
    rows = []
    for n in TOKENS:
        text = text_of(n)
        tokens, encode = len(encoder._tokenizer.encode(text).ids), spent(lambda text=text: encoder.encode([text]), chosen.runs)
        ids = np.array([encoder._tokenizer.encode(text).ids], dtype=np.int64)
        fed = feed(encoder._session, ids)
        run = spent(lambda fed=fed: encoder._session.run(None, fed), chosen.runs)
        adds = tokens * weights + layers * 2 * tokens * tokens * width
        least = adds / peak["int8"] * 1_000
        rows.append({"tokens": tokens, "multiply_adds": adds, "least_ms": least, "run_ms": run, "encode_ms": encode})
    result = {"encoder": encoder.encoder_id, "peak_per_s": peak, "weights_per_token": weights, "layers": layers, "rows": rows}
    write_results("limit", result, table(result))


def shapes(path: str) -> tuple[int, int, int]:
    """Return multiply-adds per token in products with weights, layers, and the width of the attention."""
    graph = onnx.load(path).graph
    known = {one.name: tuple(one.dims) for one in graph.initializer}
    total = layers = width = 0
    for node in graph.node:
        if node.op_type in ("MatMul", "MatMulInteger", "Gemm", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"):
            held = [known[name] for name in node.input if len(known.get(name, ())) == 2]
            total += int(np.prod(held[0])) if held else 0
        if node.op_type == "Softmax":
            layers += 1
    for name, shape in known.items():
        if len(shape) == 2 and "word_embeddings" in name:
            width = shape[1]
    return total, layers, width


def product(kind: type) -> Callable[[], object]:
    """Return what multiplies two square matrices once, on one thread."""
    rng = np.random.default_rng(0)
    if kind is np.int8:
        right = numpy_helper.from_array(rng.integers(-127, 127, (SIZE, SIZE)).astype(np.int8), "b")
        node, element, left = (
            helper.make_node("MatMulInteger", ["a", "b"], ["c"]),
            TensorProto.UINT8,
            rng.integers(0, 255, (SIZE, SIZE)).astype(np.uint8),
        )
        out = TensorProto.INT32
    else:
        right = numpy_helper.from_array(rng.normal(size=(SIZE, SIZE)).astype(np.float32), "b")
        node, element, left = (
            helper.make_node("MatMul", ["a", "b"], ["c"]),
            TensorProto.FLOAT,
            rng.normal(size=(SIZE, SIZE)).astype(np.float32),
        )
        out = TensorProto.FLOAT
    graph = helper.make_graph(
        [node],
        "product",
        [helper.make_tensor_value_info("a", element, [SIZE, SIZE])],
        [helper.make_tensor_value_info("c", out, [SIZE, SIZE])],
        [right],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"a": left})


def fastest(run: Callable[[], object]) -> float:
    """Return multiply-adds a second of the fastest run."""
    run()
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return SIZE**3 / min(seconds)


def spent(run: Callable[[], object], n: int) -> float:
    """Return the median milliseconds."""
    for _ in range(5):
        run()
    found = []
    for _ in range(n):
        started = time.perf_counter()
        run()
        found.append((time.perf_counter() - started) * 1_000)
    return statistics.median(found)


def table(result: dict[str, object]) -> str:
    """Return the Markdown table."""
    peak = result["peak_per_s"]
    lines = [
        f"{result['encoder']}: {result['weights_per_token'] / 1e6:.2f} million multiply-adds a token in {result['layers']} layers, and attention. Peak of "
        f"one thread here: {peak['int8'] / 1e9:.0f} billion int8 and {peak['fp32'] / 1e9:.0f} billion fp32 multiply-adds a second.",
        "",
        "| tokens | million multiply-adds | at the int8 peak, ms | the model's run, ms | share of the peak | with tokenizing, ms |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['tokens']} | {row['multiply_adds'] / 1e6:.0f} | {row['least_ms']:.2f} | {row['run_ms']:.2f} "
            f"| {row['least_ms'] / row['run_ms']:.0%} | {row['encode_ms']:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
