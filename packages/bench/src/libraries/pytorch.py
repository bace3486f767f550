"""Measures PyTorch: answers each line {"workload", "budget"} on stdin with one line of JSON. Argument: threads."""

import json
import os
import pathlib
import sys
import time

# What a machine sets for its own OpenBLAS would slow PyTorch's down.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(int(sys.argv[1]))


def mlp_model(sizes):
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers += ([torch.nn.ReLU()] if i else []) + [torch.nn.Linear(a, b)]
    return torch.nn.Sequential(*layers)


def training(model, x, classes=10):
    y = torch.arange(x.shape[0]) * 7 % classes
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def mlp(sizes, rows):
    return training(mlp_model(sizes), torch.rand(rows, sizes[0]) * 2 - 1)


def cnn():
    n = torch.nn
    model = n.Sequential(
        n.Conv2d(1, 8, 3), n.ReLU(), n.MaxPool2d(2), n.Conv2d(8, 16, 3), n.ReLU(), n.MaxPool2d(2),
        n.Flatten(), n.Linear(400, 10),
    )
    return training(model, torch.rand(32, 1, 28, 28) * 2 - 1)


def adam(tensors):
    params = [torch.rand(1_000_000 // tensors).requires_grad_() for _ in range(tensors)]
    for p in params:
        p.grad = torch.rand_like(p) * 2 - 1
    return torch.optim.Adam(params, lr=1e-3).step


def loss_and_gradient(rows, count):
    x = (torch.rand(rows, count) * 2 - 1).requires_grad_()
    y = torch.arange(rows) * 7 % count

    def run():
        x.grad = None
        F.cross_entropy(x, y).backward()

    return run


def operation(f, *shapes):
    xs = [torch.rand(shape) * 2 - 1 for shape in shapes]

    def run():
        with torch.no_grad():
            f(*xs)

    return run


def lbfgs_digits():
    """Multinomial logistic regression on the training rows of digits, in f64, from zeros."""
    data = pathlib.Path(__file__).resolve().parents[3] / "datasets" / "data"
    rows = [line.split(",") for line in (data / "digits.csv").read_text().split()[1:]]
    train = json.loads((data / "splits.json").read_text())["digits"]["train"]
    table = torch.tensor([[float(cell) for cell in rows[i]] for i in train], dtype=torch.float64)
    x, y = table[:, :64] / 16, table[:, 64].long()

    def run():
        w = torch.zeros(64, 10, dtype=torch.float64, requires_grad=True)
        b = torch.zeros(10, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([w, b], max_iter=20, history_size=10, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(x @ w + b, y) + (w * w).sum() / (2 * len(y))
            loss.backward()
            return loss

        return optimizer.step(closure)

    return run


M = 1_000_000
operations = {
    **{f"matmul_{n}": (lambda n=n: operation(torch.matmul, (n, n), (n, n))) for n in (256, 512, 1024)},
    "mul_add_1M": lambda: operation(lambda a, b, c: torch.addcmul(c, a, b), (M,), (M,), (M,)),
    "exp_1M": lambda: operation(torch.exp, (M,)),
    "tanh_1M": lambda: operation(torch.tanh, (M,)),
    "sum_1M": lambda: operation(torch.sum, (M,)),
    "softmax_128x1000": lambda: operation(lambda x: torch.softmax(x, -1), (128, 1000)),
}


def add_4():
    a, b = torch.tensor([1.0, 2, 3, 4]), torch.tensor([5.0, 6, 7, 8])
    return lambda: a + b


workloads = {
    **operations,
    **{f"{name}_eager": make for name, make in operations.items()},
    "add_4_eager": add_4,
    "mlp_784-128-10_b32": lambda: mlp([784, 128, 10], 32),
    "mlp_784-128-10_b128": lambda: mlp([784, 128, 10], 128),
    "mlp_784-512-512-10_b128": lambda: mlp([784, 512, 512, 10], 128),
    "cnn_b32": cnn,
    "adam_1000k": lambda: adam(1),
    "adam_60x": lambda: adam(60),
    "crossentropy_4096x1000": lambda: loss_and_gradient(4096, 1000),
    "crossentropy_256x50000": lambda: loss_and_gradient(256, 50000),
    "lbfgs_digits": lbfgs_digits,
    "first_step": lambda: (lambda: mlp([784, 128, 10], 32)()),
}

runs = {}


def elapsed(run, count):
    begin = time.perf_counter()
    for _ in range(count):
        run()
    return 1000 * (time.perf_counter() - begin)


def measure(name, budget):
    """As measure.ts does."""
    if name not in workloads:
        return {"absent": True}
    if budget == 0:
        return {"ms": elapsed(workloads[name](), 1)}
    if name not in runs:
        run = workloads[name]()
        count = 1
        while elapsed(run, count) < 2 and count < 2**20:
            count *= 2
        runs[name] = (run, count)
    run, count = runs[name]
    times, spent = [], 0.0
    while not times or spent < budget:
        took = elapsed(run, count)
        spent += took
        times.append(took / count)
    times.sort()
    return {"ms": times[len(times) // 2]}


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = measure(request["workload"], request["budget"])
    except Exception as error:  # noqa: BLE001
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
