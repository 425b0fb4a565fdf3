"""Trains a small GPT-2 on two processor cores, in bfloat16 products with float32 weights.

    python train.py DATA SECONDS [BLOCKS...]

DATA is what prepare.py wrote. Training takes SECONDS, shared out evenly among the numbers of BLOCKS given ("4 8": half of
the time with four blocks, the other half with copies among them); the learning rate falls to nothing over the last half.
Writes DATA/checkpoint.pt every five minutes and goes on from it; at the end DATA/model/, as `transformers` reads it.
Where DATA/model/ is there already, its weights are trained further, at a lower learning rate that falls from the start; and where
DATA/teachers/ holds models of the same tokenizer, what they think likely makes up most of the targets.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

WIDTH, HEADS, VOCABULARY, CONTEXT = 256, 4, 8192, 128
ROWS = 64  # rows of CONTEXT tokens per step
OPEN_ROWS = 8  # rows that are one stream of tokens, so that all positions are trained; in the others texts start at position 0
CHUNK = 1024  # tokens whose logits are in memory at once
MUON_RATE, ADAM_RATE, WEIGHT_DECAY, WARM_UP_STEPS = 0.02, 3e-3, 0.05, 60
DROPOUT = 0.08  # of the embedding and of each block's outputs
TEACHING = 0.6  # weight of the teachers' probabilities in a target; the rest is the next token's


class Batches:
    """Rows of whole texts. On average each text occurs in a pass as often as the weight of its kind."""

    def __init__(self, data: Path, seed: int):
        texts = np.load(data / "texts.npz")
        self.tokens, self.starts, self.ends = texts["tokens"], texts["starts"], texts["ends"]
        self.weights = texts["weights"].astype(np.float64)
        self.random = np.random.default_rng(seed)
        self.order, self.pool = iter(()), []

    def draw(self) -> np.ndarray:
        """A text's tokens and the target after its last token: <|endoftext|>, or -100 if the text is cut."""
        while (text := next(self.order, None)) is None:
            passes = self.random.poisson(self.weights)
            self.order = iter(self.random.permutation(np.repeat(np.arange(len(passes)), passes)))
        tokens = self.tokens[self.starts[text] : self.starts[text + 1]].astype(np.int64)
        ends = self.ends[text] and len(tokens) <= CONTEXT
        return np.append(tokens[:CONTEXT], 0 if ends else -100)

    def batch(self):
        x = np.zeros((ROWS, CONTEXT), np.int64)
        y = np.full((ROWS, CONTEXT), -100, np.int64)
        segment = np.zeros((ROWS, CONTEXT), np.int16)
        position = np.tile(np.arange(CONTEXT), (ROWS, 1))
        for row in range(OPEN_ROWS):
            at = 0
            while at < CONTEXT:
                text = self.draw()[: CONTEXT - at + 1]
                end = at + len(text) - 1
                x[row, at:end], y[row, at:end], at = text[:-1], text[1:], end
        # The longest text that still fits is next, which fills rows to 98 %.
        while len(self.pool) < 600:
            self.pool.append(self.draw())
        self.pool.sort(key=len)
        lengths = [len(t) for t in self.pool]
        for row in range(OPEN_ROWS, ROWS):
            at, n = 0, 0
            pick = int(self.random.integers(len(self.pool)))
            while True:
                text = self.pool.pop(pick)
                lengths.pop(pick)
                end = at + len(text) - 1
                x[row, at:end], y[row, at:end] = text[:-1], text[1:]
                segment[row, at:end], position[row, at:end] = n, np.arange(end - at)
                at, n = end, n + 1
                pick = int(np.searchsorted(lengths, CONTEXT - at + 1, side="right")) - 1
                if pick < 0:
                    break
            segment[row, at:] = n
        causal = np.tri(CONTEXT, dtype=bool)
        unseen = ~((segment[:, :, None] == segment[:, None, :]) & causal)
        x, y, position, unseen = map(torch.from_numpy, (x, y, position, unseen[:, None]))
        return x, y, position, torch.zeros(unseen.shape, dtype=torch.bfloat16).masked_fill_(unseen, -1e9)


class Attention(torch.autograd.Function):
    """Softmax attention by whole products: for texts this short it takes a quarter of the time of PyTorch's own."""

    @staticmethod
    def forward(ctx, qkv, mask):
        rows, shape = len(mask), (len(mask) * HEADS, CONTEXT, WIDTH // HEADS)
        q, k, v = (t.contiguous().view(shape) for t in qkv.view(rows, CONTEXT, 3, HEADS, -1).permute(2, 0, 3, 1, 4))
        q = q * shape[-1] ** -0.5
        p = torch.bmm(q, k.mT).view(rows, HEADS, CONTEXT, CONTEXT).add_(mask).softmax(-1).view(-1, CONTEXT, CONTEXT)
        ctx.save_for_backward(q, k, v, p)
        return torch.bmm(p, v).view(rows, HEADS, CONTEXT, -1).transpose(1, 2).reshape(-1, WIDTH)

    @staticmethod
    def backward(ctx, d_out):
        q, k, v, p = ctx.saved_tensors
        d_out = d_out.view(-1, CONTEXT, HEADS, q.size(-1)).transpose(1, 2).reshape(q.shape)
        d = torch.empty(3, *q.shape, dtype=q.dtype)
        d_scores = torch._softmax_backward_data(torch.bmm(d_out, v.mT), p, -1, p.dtype)
        torch.bmm(d_scores, k, out=d[0])
        d[0].mul_(q.size(-1) ** -0.5)
        torch.bmm(d_scores.mT, q, out=d[1])
        torch.bmm(p.mT, d_out, out=d[2])
        return d.view(3, -1, HEADS, CONTEXT, q.size(-1)).permute(1, 3, 0, 2, 4).reshape(-1, 3 * WIDTH), None


class HeadLoss(torch.autograd.Function):
    """Mean cross entropy of the tied head, a few rows at a time: the probabilities of a whole batch would be 134 MB.

    `teachers` are pairs of last states and tables; the geometric mean of what they think likely is mixed into the targets of
    the gradient. The loss returned is that of the tokens alone.
    """

    @staticmethod
    def forward(ctx, hidden, embedding, targets, teachers):
        table = embedding.bfloat16()
        weight = (targets >= 0) / (targets >= 0).sum()
        teaching = TEACHING if teachers else 0.0
        loss, d_hidden, d_table = 0.0, torch.empty_like(hidden), torch.zeros_like(embedding)
        for rows in torch.arange(len(targets)).split(CHUNK):
            h, c = hidden[rows], weight[rows, None]
            at = (torch.arange(len(rows)), targets[rows].clamp(min=0))
            p = (h @ table.T).softmax(-1)
            loss -= (p[at].float().clamp(min=1e-30).log() * c[:, 0]).sum()
            p[at] -= 1 - teaching
            if teachers:
                p -= teaching * (sum(t[rows] @ its_table.T for t, its_table in teachers) / len(teachers)).softmax(-1)
            d_hidden[rows] = ((p @ table) * c).bfloat16()
            d_table += (p.T @ (h * c).bfloat16()).float()
        ctx.save_for_backward(d_hidden, d_table)
        return loss

    @staticmethod
    def backward(ctx, d_loss):
        d_hidden, d_table = ctx.saved_tensors
        return d_hidden * d_loss, d_table * d_loss, None, None


def fresh(blocks: int) -> dict:
    """GPT-2's names and shapes. A block's last matrices start as zeros, so that the block starts as the identity."""
    one, zero = lambda n: torch.ones(n), lambda *n: torch.zeros(n)
    w = {"wte.weight": torch.randn(VOCABULARY, WIDTH) * 0.02, "wpe.weight": torch.randn(CONTEXT, WIDTH) * 0.01}
    for b in range(blocks):
        w |= {
            f"h.{b}.ln_1.weight": one(WIDTH), f"h.{b}.ln_1.bias": zero(WIDTH),
            f"h.{b}.attn.c_attn.weight": torch.randn(WIDTH, 3 * WIDTH) * WIDTH**-0.5, f"h.{b}.attn.c_attn.bias": zero(3 * WIDTH),
            f"h.{b}.attn.c_proj.weight": zero(WIDTH, WIDTH), f"h.{b}.attn.c_proj.bias": zero(WIDTH),
            f"h.{b}.ln_2.weight": one(WIDTH), f"h.{b}.ln_2.bias": zero(WIDTH),
            f"h.{b}.mlp.c_fc.weight": torch.randn(WIDTH, 4 * WIDTH) * WIDTH**-0.5, f"h.{b}.mlp.c_fc.bias": zero(4 * WIDTH),
            f"h.{b}.mlp.c_proj.weight": zero(4 * WIDTH, WIDTH), f"h.{b}.mlp.c_proj.bias": zero(WIDTH),
        }  # fmt: skip
    return w | {"ln_f.weight": one(WIDTH), "ln_f.bias": zero(WIDTH)}


def read(folder: Path) -> dict:
    return {name.removeprefix("transformer."): t.float() for name, t in load_file(folder / "model.safetensors").items()}


def blocks_of(w: dict) -> int:
    return 1 + max(int(name.split(".")[1]) for name in w if name.startswith("h."))


def grown(w: dict, blocks: int) -> dict:
    """Inserts copies of blocks until there are `blocks`. A copy's last matrices are zeros, so that the outputs stay the same."""
    have = blocks_of(w)
    new = {name: t for name, t in w.items() if not name.startswith("h.")}
    for b in range(blocks):
        source = b * have // blocks
        is_copy = b > 0 and source == (b - 1) * have // blocks
        for name, t in w.items():
            if name.startswith(f"h.{source}."):
                t = torch.zeros_like(t) if is_copy and ".c_proj." in name else t.clone()
                new[name.replace(f"h.{source}.", f"h.{b}.", 1)] = t
    return new


class Dropout:
    """Masks cut from one long random mask: drawing millions of random numbers per step would take a tenth of the time."""

    def __init__(self):
        self.pool = (torch.rand(1 << 25) >= DROPOUT).bfloat16() / (1 - DROPOUT)

    def __call__(self, h: torch.Tensor) -> torch.Tensor:
        start = int(torch.randint(len(self.pool) - h.numel(), ()))
        return h * self.pool[start : start + h.numel()].view(h.shape)


def last_state(w: dict, dropout, x, position, mask):
    n = lambda h, name: F.layer_norm(h, (WIDTH,), w[f"{name}.weight"].bfloat16(), w[f"{name}.bias"].bfloat16())
    linear = lambda h, name: torch.addmm(w[f"{name}.bias"].bfloat16(), h, w[f"{name}.weight"].bfloat16())
    h = dropout((F.embedding(x, w["wte.weight"]) + F.embedding(position, w["wpe.weight"])).view(-1, WIDTH).bfloat16())
    for b in range(blocks_of(w)):
        a = Attention.apply(linear(n(h, f"h.{b}.ln_1"), f"h.{b}.attn.c_attn"), mask)
        h = h + dropout(linear(a, f"h.{b}.attn.c_proj"))
        u = linear(n(h, f"h.{b}.ln_2"), f"h.{b}.mlp.c_fc")
        h = h + dropout(linear(F.gelu(u, approximate="tanh"), f"h.{b}.mlp.c_proj"))
    return n(h, "ln_f")


def loss_of(w: dict, teachers: list[dict], dropout, x, y, position, mask):
    with torch.no_grad():
        taught = [(last_state(t, lambda h: h, x, position, mask), t["wte.weight"].bfloat16()) for t in teachers]
    return HeadLoss.apply(last_state(w, dropout, x, position, mask), w["wte.weight"], y.view(-1), taught)


def orthogonal(m: torch.Tensor) -> torch.Tensor:
    """Newton-Schulz towards the nearest matrix with singular values of 1, for a stack of matrices."""
    x = m.bfloat16()
    tall = x.size(-2) > x.size(-1)
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.mT if tall else x).float()


class Muon:
    """Momentum whose steps are made orthogonal; matrices of one shape go together. c_attn is three matrices."""

    def __init__(self, w: dict):
        shapes = {}
        for name, t in w.items():
            if name.startswith("h.") and t.dim() == 2:
                for part in t.split(WIDTH, 1) if "c_attn" in name else [t]:
                    shapes.setdefault(tuple(part.shape), []).append(name)
        self.w = w
        self.groups = [(shape, list(dict.fromkeys(names))) for shape, names in shapes.items()]
        self.momentum = [None] * len(self.groups)

    def parts(self, names, of):
        return [p for name in names for p in (of(name).split(WIDTH, 1) if "c_attn" in name else [of(name)])]

    @torch.no_grad()
    def step(self, rate: float):
        for i, (shape, names) in enumerate(self.groups):
            g = torch.stack(self.parts(names, lambda name: self.w[name].grad))
            m = self.momentum[i] = (torch.zeros_like(g) if self.momentum[i] is None else self.momentum[i]).lerp_(g, 0.05)
            u = orthogonal(g.lerp(m, 0.95))
            scale = max(1.0, shape[1] / shape[0]) ** 0.5
            for p, d in zip(self.parts(names, lambda name: self.w[name]), u):
                p.mul_(1 - rate * WEIGHT_DECAY).add_(d, alpha=-rate * scale)


def export(w: dict, data: Path):
    folder = data / "model"
    folder.mkdir(exist_ok=True)
    save_file({f"transformer.{name}": t.detach().half().contiguous() for name, t in w.items()}, folder / "model.safetensors", {"format": "pt"})
    shutil.copy(data / "tokenizer.json", folder)
    defaults = {"do_sample": True, "max_length": 100, "min_length": 10, "prefix": "<|endoftext|>", "temperature": 0.8, "top_p": 0.95}
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new",
        "vocab_size": VOCABULARY, "n_positions": CONTEXT, "n_ctx": CONTEXT, "n_embd": WIDTH, "n_head": HEADS, "n_layer": blocks_of(w),
        "n_inner": None, "layer_norm_epsilon": 1e-5, "initializer_range": 0.02, "bos_token_id": 0, "eos_token_id": 0,
        "attn_pdrop": 0, "embd_pdrop": 0, "resid_pdrop": 0, "torch_dtype": "float16",
        "task_specific_params": {"text-generation": defaults},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def main(data: Path, seconds: float, depths: list[int]):
    torch.set_num_threads(2)
    torch.manual_seed(3)  # this seed and the batches' differ from those of the earlier runs
    checkpoint = data / "checkpoint.pt"
    state = torch.load(checkpoint) if checkpoint.exists() else None
    further = (data / "model").exists()
    teachers = [read(folder) for folder in sorted(data.glob("teachers/*"))]
    w = state["w"] if state else read(data / "model") if further else fresh(depths[0])
    spent, step = (state["spent"], state["step"]) if state else (0.0, 0)
    batches, dropout = Batches(data, seed=step + 7700), Dropout()

    def optimizers():
        for t in w.values():
            t.requires_grad_()
        rest = [t for name, t in w.items() if not (name.startswith("h.") and t.dim() == 2)]
        return Muon(w), torch.optim.Adam(rest, betas=(0.9, 0.95), fused=True)

    muon, adam = optimizers()
    begun = saved = time.time()
    mean, tokens, since = None, 0, 0
    while (done := (spent + time.time() - begun) / seconds) < 1:
        depth = depths[min(int(done * len(depths)), len(depths) - 1)]
        if depth != blocks_of(w):
            w, since = grown({name: t.detach() for name, t in w.items()}, depth), 0
            muon, adam = optimizers()
        rate = min(0.4 * (1 - done) if further else 2 * (1 - done), 1.0, (since + 1) / WARM_UP_STEPS)
        x, y, position, mask = batches.batch()
        loss = loss_of(w, teachers, dropout, x, y, position, mask)
        loss.backward()
        muon.step(MUON_RATE * rate)
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        adam.step()
        for t in w.values():
            t.grad = None
        step, since, tokens = step + 1, since + 1, tokens + int((y >= 0).sum())
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 25 == 0:
            print(f"{step} steps, {depth} blocks, {100 * done:.1f} %, rate {rate:.2f}, loss {mean:.3f}, {tokens / (time.time() - begun):.0f} tokens/s", flush=True)
        if time.time() - saved > 300:
            saved = time.time()
            torch.save({"w": {n: t.detach() for n, t in w.items()}, "spent": spent + saved - begun, "step": step}, checkpoint)
    export(w, data)
    checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), [int(n) for n in sys.argv[3:]] or [8])
