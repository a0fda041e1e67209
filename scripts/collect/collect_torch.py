#!/usr/bin/env python3
"""Measures steps of PyTorch models and single operators: time, power, energy, and the ONNX graph.

One file. Needs PyTorch; for graphs also onnx and onnxscript. docs/collecting.md explains the use.

    collect_torch.py --models resnet50 --batch 64,256 --precision bf16-amp,tf32 --out traces
    collect_torch.py --campaign h200-1 --out traces --budget-s 520     (--plan: only say what would run)
    collect_torch.py --ladder --out traces                             single operators -> ops.csv
    torchrun --nproc-per-node 4 collect_torch.py --models resnet50 ..  data parallel, one row per run

Writes into --out: trace.csv (rows for `adept calibrate`), ops.csv (operators), raw.jsonl (everything that
was read, with the device's state). A run already in raw.jsonl is not repeated. Inputs are random and stay
on the device, so neither a loader nor a network file system is measured. GPU settings are never touched.
"""
import argparse
import contextlib
import csv
import ctypes
import datetime
import functools
import hashlib
import importlib.metadata
import importlib.util
import itertools
import json
import math
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections import OrderedDict
from dataclasses import asdict, dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import nn

VERSION = "1.0"

# ---------------------------------------------------------------------------------------------------------
# 1. Networks. Own definitions, so that the collector needs no model library; each is checked against the
#    published number of parameters (--check-zoo). Inputs: images [B,C,H,W], token ids [B,S], audio [B,1,L].
# ---------------------------------------------------------------------------------------------------------


def attend(q, k, v, kind, mask=None, causal=False, dropout=0.0, fp32_softmax=False):
    """Softmax attention on q, k, v [B,H,S,D]; kind eager: taken apart, flash: one fused kernel."""
    if kind == "flash":
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=causal)
    score = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    if mask is not None:
        score = score + mask
    weight = score.softmax(-1, dtype=torch.float32).to(q.dtype) if fp32_softmax else score.softmax(-1)
    return (F.dropout(weight, dropout) if dropout else weight) @ v


def heads_of(x, heads):
    """[B,S,H*D] -> [B,H,S,D]"""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def causal_mask(x):
    """Additive mask [S,S] for hidden states x [B,S,D]."""
    at = torch.arange(x.shape[1], device=x.device)
    return torch.where(at[None, :] > at[:, None], torch.finfo(x.dtype).min, 0.0).to(x.dtype)


class TanhGELU(nn.Module):
    """GELU in the tanh form, written out as the GPT-2 and ALBERT code has it: eight kernels, not one."""

    def forward(self, x):
        return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


class Attention(nn.Module):
    """Multi-head attention with biases: separate projections, or one packed projection (GPT-2, ViT)."""

    def __init__(self, width, heads, kind, dropout=0.0, packed=False):
        super().__init__()
        self.heads, self.kind, self.dropout, self.packed = heads, kind, dropout, packed
        if packed:
            self.qkv = nn.Linear(width, 3 * width)
        else:
            self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, x, mask=None, causal=False):
        q, k, v = self.qkv(x).chunk(3, -1) if self.packed else (self.q(x), self.k(x), self.v(x))
        q, k, v = (heads_of(t, self.heads) for t in (q, k, v))
        y = attend(q, k, v, self.kind, mask, causal, self.dropout if self.training else 0.0)
        return self.out(y.transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    """Transformer layer with normalisation after the residual (BERT, DistilBERT, ALBERT)."""

    def __init__(self, width, heads, ffn, act, dropout, kind):
        super().__init__()
        self.attention = Attention(width, heads, kind, dropout)
        self.attention_norm = nn.LayerNorm(width, 1e-12)
        self.up, self.act, self.down = nn.Linear(width, ffn), act(), nn.Linear(ffn, width)
        self.ffn_norm = nn.LayerNorm(width, 1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        x = self.attention_norm(x + self.dropout(self.attention(x, mask)))
        return self.ffn_norm(x + self.dropout(self.down(self.act(self.up(x)))))


class Encoder(nn.Module):
    """BERT and its kin with a classification head of two labels."""

    def __init__(self, kind, layers, width, heads, ffn, vocab=30522, types=2, embedding=None, shared=False,
                 act=nn.GELU, dropout=0.1, head="pooler", head_dropout=0.1):
        super().__init__()
        embedding = embedding or width
        self.word, self.position = nn.Embedding(vocab, embedding), nn.Embedding(512, embedding)
        self.token_type = nn.Embedding(types, embedding) if types else None
        self.norm, self.dropout = nn.LayerNorm(embedding, 1e-12), nn.Dropout(dropout)
        self.widen = nn.Linear(embedding, width) if embedding != width else nn.Identity()
        self.passes = layers if shared else 1
        self.layer = nn.ModuleList(EncoderLayer(width, heads, ffn, act, dropout, kind)
                                   for _ in range(1 if shared else layers))
        self.pooler = nn.Linear(width, width)
        self.pooler_act = nn.Tanh() if head == "pooler" else nn.ReLU()
        self.head_dropout, self.classifier = nn.Dropout(head_dropout), nn.Linear(width, 2)

    def forward(self, input_ids, attention_mask):
        at = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.word(input_ids) + self.position(at)
        if self.token_type is not None:
            x = x + self.token_type(torch.zeros_like(input_ids))
        x = self.widen(self.dropout(self.norm(x)))
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for _ in range(self.passes):
            for layer in self.layer:
                x = layer(x, mask)
        return self.classifier(self.head_dropout(self.pooler_act(self.pooler(x[:, 0]))))


class PreNormLayer(nn.Module):
    """Transformer layer with normalisation before each branch (GPT-2, OPT, ViT)."""

    def __init__(self, width, heads, ffn, act, dropout, kind, packed, eps, attention_dropout=None):
        super().__init__()
        attention_dropout = dropout if attention_dropout is None else attention_dropout
        self.norm1, self.attention = nn.LayerNorm(width, eps), Attention(width, heads, kind, attention_dropout, packed)
        self.norm2 = nn.LayerNorm(width, eps)
        self.up, self.act, self.down = nn.Linear(width, ffn), act(), nn.Linear(ffn, width)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x, mask=None, causal=False):
        x = x + self.dropout(self.attention(self.norm1(x), mask, causal))
        return x + self.dropout(self.down(self.act(self.up(self.norm2(x)))))


class Decoder(nn.Module):
    """GPT-2 and OPT: learned positions, output projection tied to the word embedding."""

    def __init__(self, kind, layers, width, heads, ffn, vocab, positions, act, packed, offset=0, dropout=0.1,
                 attention_dropout=None):
        super().__init__()
        self.offset = offset
        self.word, self.position = nn.Embedding(vocab, width), nn.Embedding(positions, width)
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.ModuleList(PreNormLayer(width, heads, ffn, act, dropout, kind, packed, 1e-5,
                                                attention_dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width, 1e-5)
        self.head = nn.Linear(width, vocab, bias=False)
        self.head.weight = self.word.weight

    def forward(self, input_ids):
        at = torch.arange(input_ids.shape[1], device=input_ids.device) + self.offset
        x = self.dropout(self.word(input_ids) + self.position(at))
        mask = causal_mask(x) if self.layer[0].attention.kind == "eager" else None
        for layer in self.layer:
            x = layer(x, mask, True)
        return self.head(self.norm(x))


class RMSNorm(nn.Module):
    def __init__(self, width, eps=1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * y.to(x.dtype)


def rotate(x, cos, sin):
    """Rotary embedding of x [B,H,S,D] in the half-split form."""
    low, high = x.chunk(2, -1)
    return x * cos + torch.cat((-high, low), -1) * sin


class LlamaLayer(nn.Module):
    """Grouped-query attention with rotary embedding, and the gated SiLU feed-forward."""

    def __init__(self, width, heads, kv_heads, ffn, kind):
        super().__init__()
        self.heads, self.kv_heads, self.kind, dim = heads, kv_heads, kind, width // heads
        linear = functools.partial(nn.Linear, bias=False)
        self.norm1, self.norm2 = RMSNorm(width), RMSNorm(width)
        self.q, self.k, self.v = linear(width, width), linear(width, kv_heads * dim), linear(width, kv_heads * dim)
        self.out = linear(width, width)
        self.gate, self.up, self.down, self.act = linear(width, ffn), linear(width, ffn), linear(ffn, width), nn.SiLU()

    def repeat(self, x):
        """[B,KV,S,D] -> [B,H,S,D]"""
        return x[:, :, None].expand(-1, -1, self.heads // self.kv_heads, -1, -1).flatten(1, 2)

    def forward(self, x, cos, sin, mask):
        h = self.norm1(x)
        q, k = rotate(heads_of(self.q(h), self.heads), cos, sin), rotate(heads_of(self.k(h), self.kv_heads), cos, sin)
        y = attend(q, self.repeat(k), self.repeat(heads_of(self.v(h), self.kv_heads)), self.kind, mask, True,
                   fp32_softmax=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        h = self.norm2(x)
        return x + self.down(self.act(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    """Llama with an output projection of its own (TinyLlama)."""

    def __init__(self, kind, layers, width, heads, kv_heads, ffn, vocab):
        super().__init__()
        self.word = nn.Embedding(vocab, width)
        self.layer = nn.ModuleList(LlamaLayer(width, heads, kv_heads, ffn, kind) for _ in range(layers))
        self.norm, self.head = RMSNorm(width), nn.Linear(width, vocab, bias=False)
        dim = width // heads
        self.register_buffer("frequency", 10000.0 ** (-torch.arange(0, dim, 2).float() / dim), persistent=False)

    def forward(self, input_ids):
        x = self.word(input_ids)
        angle = torch.arange(input_ids.shape[1], device=x.device).float()[:, None] * self.frequency.float()[None, :]
        angle = torch.cat((angle, angle), -1)
        cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        mask = causal_mask(x) if self.layer[0].kind == "eager" else None
        for layer in self.layer:
            x = layer(x, cos, sin, mask)
        return self.head(self.norm(x))


class ViT(nn.Module):
    """Vision transformer with a class token."""

    def __init__(self, kind, layers=12, width=768, heads=12, ffn=3072, patch=16, image=224, classes=1000):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, width) * 0.02)
        self.layer = nn.ModuleList(PreNormLayer(width, heads, ffn, nn.GELU, 0.0, kind, True, 1e-6)
                                   for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, 1e-6), nn.Linear(width, classes)

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.position
        for layer in self.layer:
            x = layer(x)
        return self.head(self.norm(x)[:, 0])


class Residual(nn.Module):
    """Basic block (expansion 1) or bottleneck (expansion 4, stride on the 3x3) of ResNet."""

    def __init__(self, c_in, width, stride, expansion):
        super().__init__()
        c_out = width * expansion
        shape = ((width, 3, stride), (c_out, 3, 1)) if expansion == 1 else \
            ((width, 1, 1), (width, 3, stride), (c_out, 1, 1))
        steps, c = {}, c_in
        for i, (c_next, kernel, step) in enumerate(shape, 1):
            steps |= {f"conv{i}": nn.Conv2d(c, c_next, kernel, step, kernel // 2, bias=False),
                      f"bn{i}": nn.BatchNorm2d(c_next), f"relu{i}": nn.ReLU(inplace=True)}
            c = c_next
        steps.popitem()        # the last one follows the addition
        self.branch, self.act = nn.Sequential(OrderedDict(steps)), nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)) \
            if stride != 1 or c_in != c_out else nn.Identity()

    def forward(self, x):
        return self.act(self.branch(x) + self.downsample(x))


def resnet(_kind, blocks, expansion):
    layers, c = {"conv1": nn.Conv2d(3, 64, 7, 2, 3, bias=False), "bn1": nn.BatchNorm2d(64),
                 "relu": nn.ReLU(inplace=True), "maxpool": nn.MaxPool2d(3, 2, 1)}, 64
    for stage, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512))):
        stages = []
        for i in range(count):
            stages.append(Residual(c, width, 2 if i == 0 and stage else 1, expansion))
            c = width * expansion
        layers[f"layer{stage + 1}"] = nn.Sequential(*stages)
    return nn.Sequential(OrderedDict(layers, avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(c, 1000)))


def vgg16(_kind):
    layers, c = [], 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(c, width, 3, 1, 1), nn.ReLU(inplace=True)]
            c = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(7), nn.Flatten(),
                         nn.Linear(512 * 49, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
                         nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(4096, 1000))


class MBConv(nn.Module):
    """Inverted bottleneck with squeeze and excitation (EfficientNet)."""

    def __init__(self, c_in, c_out, expand, kernel, stride):
        super().__init__()
        c = c_in * expand

        def conv(a, b, k, s=1, groups=1, act=True):
            return [nn.Conv2d(a, b, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(b)] \
                + ([nn.SiLU(inplace=True)] if act else [])
        self.spatial = nn.Sequential(*(conv(c_in, c, 1) if expand != 1 else []), *conv(c, c, kernel, stride, c))
        squeeze = max(1, c_in // 4)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, squeeze, 1), nn.SiLU(inplace=True),
                                  nn.Conv2d(squeeze, c, 1), nn.Sigmoid())
        self.project = nn.Sequential(*conv(c, c_out, 1, act=False))
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x):
        y = self.spatial(x)
        y = self.project(self.gate(y) * y)
        return x + y if self.residual else y


def efficientnet_b0(_kind):
    """Stochastic depth is left out: it would make the work of a step random."""
    layers, c = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.SiLU(inplace=True)], 32
    for expand, width, count, stride, kernel in ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                                                 (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for i in range(count):
            layers.append(MBConv(c, width, expand, kernel, stride if i == 0 else 1))
            c = width
    return nn.Sequential(*layers, nn.Conv2d(c, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.SiLU(inplace=True),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 1000))


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of [B,C,H,W]."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.depthwise, self.norm = nn.Conv2d(c, c, 7, 1, 3, groups=c), nn.LayerNorm(c, 1e-6)
        self.up, self.act, self.down = nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c)
        self.scale = nn.Parameter(torch.full((c, 1, 1), 1e-6))

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        return x + self.scale * self.down(self.act(self.up(y))).permute(0, 3, 1, 2)


def convnext_t(_kind):
    """Stochastic depth is left out, as in efficientnet_b0."""
    layers, c = [nn.Conv2d(3, 96, 4, 4), ChannelNorm(96, 1e-6)], 96
    for width, count in ((96, 3), (192, 3), (384, 9), (768, 3)):
        if width != c:
            layers += [ChannelNorm(c, 1e-6), nn.Conv2d(c, width, 2, 2)]
        layers += [ConvNeXtBlock(width) for _ in range(count)]
        c = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), ChannelNorm(c, 1e-6), nn.Flatten(), nn.Linear(c, 1000))


class SwinBlock(nn.Module):
    """Attention in windows of 7x7 tokens with a learned relative position bias; x [B,H,W,C]."""

    def __init__(self, c, heads, size, shifted, kind, window=7):
        super().__init__()
        self.heads, self.window, self.shift, self.kind = heads, window, window // 2 if shifted and size > window else 0, kind
        self.norm1, self.qkv, self.out = nn.LayerNorm(c), nn.Linear(c, 3 * c), nn.Linear(c, c)
        self.norm2, self.up, self.act, self.down = nn.LayerNorm(c), nn.Linear(c, 4 * c), nn.GELU(), nn.Linear(4 * c, c)
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        at = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        step = at[:, :, None] - at[:, None, :] + window - 1
        self.register_buffer("index", (step[0] * (2 * window - 1) + step[1]).flatten())
        self.register_buffer("mask", self.shift_mask(size) if self.shift else None)

    def shift_mask(self, size):
        """Additive mask [1,windows,1,49,49]: tokens that the cyclic shift brought together do not attend."""
        part = torch.zeros(size, size)
        for i, j in itertools.product(range(3), repeat=2):
            edge = (slice(0, -self.window), slice(-self.window, -self.shift), slice(-self.shift, None))
            part[edge[i], edge[j]] = 3 * i + j
        part = self.windows(part[None, :, :, None]).squeeze(-1)
        return torch.where(part[:, :, None] == part[:, None, :], 0.0, -100.0)[None, :, None]

    def windows(self, x):
        """[B,H,W,C] -> [B*windows,49,C]"""
        b, h, w, c = x.shape
        x = x.view(b, h // self.window, self.window, w // self.window, self.window, c)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, self.window ** 2, c)

    def forward(self, x):
        b, h, w, c = x.shape
        y = self.norm1(x)
        if self.shift:
            y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        q, k, v = (heads_of(t, self.heads) for t in self.qkv(self.windows(y)).chunk(3, -1))
        bias = self.bias[self.index].view(self.window ** 2, self.window ** 2, -1).permute(2, 0, 1)[None]
        score = q * (c // self.heads) ** -0.5 @ k.transpose(-2, -1) + bias
        if self.mask is not None:
            score = (score.unflatten(0, (-1, self.mask.shape[1])) + self.mask).flatten(0, 1)
        y = self.out((score.softmax(-1) @ v).transpose(1, 2).flatten(2))
        y = y.view(b, h // self.window, w // self.window, self.window, self.window, c)
        y = y.permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        if self.shift:
            y = torch.roll(y, (self.shift, self.shift), (1, 2))
        x = x + y
        return x + self.down(self.act(self.up(self.norm2(x))))


class PatchMerging(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm, self.reduce = nn.LayerNorm(4 * c), nn.Linear(4 * c, 2 * c, bias=False)

    def forward(self, x):
        x = torch.cat((x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]), -1)
        return self.reduce(self.norm(x))


class Swin(nn.Module):
    """Swin-T at 224x224; attention is always taken apart (the bias and the mask are added to the scores)."""

    def __init__(self, kind, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24), c=96, size=56):
        super().__init__()
        self.patches, self.patch_norm, layers = nn.Conv2d(3, c, 4, 4), nn.LayerNorm(c), []
        for stage, (depth, h) in enumerate(zip(depths, heads)):
            if stage:
                layers.append(PatchMerging(c))
                c, size = 2 * c, size // 2
            layers += [SwinBlock(c, h, size, bool(i % 2), kind) for i in range(depth)]
        self.layer, self.norm, self.head = nn.Sequential(*layers), nn.LayerNorm(c), nn.Linear(c, 1000)

    def forward(self, images):
        x = self.patch_norm(self.patches(images).permute(0, 2, 3, 1))
        return self.head(self.norm(self.layer(x)).mean((1, 2)))


class UNet(nn.Module):
    """U-Net of 64 to 1024 channels, padded convolutions, no normalisation."""

    def __init__(self, _kind, c_in=1, classes=2, widths=(64, 128, 256, 512, 1024)):
        super().__init__()

        def double(a, b):
            return nn.Sequential(nn.Conv2d(a, b, 3, 1, 1), nn.ReLU(inplace=True),
                                 nn.Conv2d(b, b, 3, 1, 1), nn.ReLU(inplace=True))
        self.down = nn.ModuleList(double(a, b) for a, b in zip((c_in,) + widths, widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * b, b, 2, 2) for b in widths[-2::-1])
        self.merge = nn.ModuleList(double(2 * b, b) for b in widths[-2::-1])
        self.pool, self.head = nn.MaxPool2d(2), nn.Conv2d(widths[0], classes, 1)

    def forward(self, x):
        kept = []
        for i, down in enumerate(self.down):
            x = down(self.pool(x) if i else x)
            kept.append(x)
        for up, merge, skip in zip(self.up, self.merge, kept[-2::-1]):
            x = merge(torch.cat((skip, up(x)), 1))
        return self.head(x)


def conv1d_m11(_kind):
    """M11 of Dai et al. 2017 (very deep convolutional networks for raw waveforms), ten classes."""
    layers, c = [], 1
    for width, kernel, stride, count in ((64, 80, 4, 1), (64, 3, 1, 2), (128, 3, 1, 2), (256, 3, 1, 3), (512, 3, 1, 2)):
        for _ in range(count):
            layers += [nn.Conv1d(c, width, kernel, stride, kernel // 2), nn.BatchNorm1d(width), nn.ReLU(inplace=True)]
            c = width
        if width != 512:
            layers.append(nn.MaxPool1d(4))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(c, 10))


class LstmLanguageModel(nn.Module):
    """The large LSTM of Zaremba et al. 2014: two layers of 1500 units, 10,000 words."""

    def __init__(self, _kind, vocab=10000, width=1500, layers=2, dropout=0.65):
        super().__init__()
        self.word, self.dropout = nn.Embedding(vocab, width), nn.Dropout(dropout)
        self.layer = nn.ModuleList(nn.LSTM(width, width, batch_first=True) for _ in range(layers))
        self.head = nn.Linear(width, vocab)

    def forward(self, input_ids):
        x = self.dropout(self.word(input_ids))
        for layer in self.layer:        # apart, because no exporter takes the dropout inside nn.LSTM
            x = self.dropout(layer(x)[0])
        return self.head(x)


@dataclass(frozen=True)
class Network:
    """One row of the zoo: how to build it, what goes in, what comes out."""
    build: object            # build(attention) -> nn.Module
    inputs: str              # image, tokens, tokens+mask, audio
    shape: tuple = (3, 224, 224)   # one sample, without the batch; token networks: (sequence,)
    classes: int = 1000      # classes, or vocabulary of a language model
    parameters: int = 0      # published number of parameters, 0: none published
    per_pixel: bool = False  # a class for each pixel (segmentation)
    library: tuple = ()      # the same network in torchvision or transformers: (module, constructor, settings)


def network(builder, inputs, shape, classes, parameters, *library, per_pixel=False, **settings):
    return Network(lambda kind, **over: builder(kind, **{**settings, **over}), inputs, shape, classes, parameters,
                   per_pixel, library)


BERT_LARGE = dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096)
ZOO = {
    "resnet50": network(resnet, "image", (3, 224, 224), 1000, 25557032, "torchvision", "resnet50", blocks=(3, 4, 6, 3), expansion=4),
    "vgg16": network(vgg16, "image", (3, 224, 224), 1000, 138357544, "torchvision", "vgg16"),
    "vit-b-16": network(ViT, "image", (3, 224, 224), 1000, 86567656, "torchvision", "vit_b_16"),
    "distilbert-base": network(Encoder, "tokens+mask", (256,), 2, 66955010, "transformers", "DistilBert", {}, layers=6,
                               width=768, heads=12, ffn=3072, types=0, head="relu", head_dropout=0.2),
    "albert-base-v2": network(Encoder, "tokens+mask", (256,), 2, 11685122, "transformers", "Albert",
                              dict(hidden_size=768, num_attention_heads=12, intermediate_size=3072, hidden_dropout_prob=0.0,
                                   attention_probs_dropout_prob=0.0, classifier_dropout_prob=0.1),
                              layers=12, width=768, heads=12, ffn=3072, vocab=30000, embedding=128, shared=True,
                              act=TanhGELU, dropout=0.0),
    "tinyllama-1.1b": network(Llama, "tokens", (512,), 32000, 1100048384, "transformers", "Llama",
                              dict(hidden_size=2048, num_hidden_layers=22, num_attention_heads=32, num_key_value_heads=4,
                                   intermediate_size=5632, vocab_size=32000),
                              layers=22, width=2048, heads=32, kv_heads=4, ffn=5632, vocab=32000),
    "bert-base": network(Encoder, "tokens+mask", (128,), 2, 109483778, "transformers", "Bert", {}, layers=12, width=768,
                         heads=12, ffn=3072),
    "bert-large": network(Encoder, "tokens+mask", (512,), 2, 335143938, "transformers", "Bert", BERT_LARGE, layers=24,
                          width=1024, heads=16, ffn=4096),
    "gpt2-small": network(Decoder, "tokens", (1024,), 50257, 124439808, "transformers", "GPT2", {}, layers=12, width=768,
                          heads=12, ffn=3072, vocab=50257, positions=1024, act=TanhGELU, packed=True),
    "gpt2-large": network(Decoder, "tokens", (1024,), 50257, 774030080, "transformers", "GPT2",
                          dict(n_embd=1280, n_layer=36, n_head=20), layers=36, width=1280, heads=20, ffn=5120,
                          vocab=50257, positions=1024, act=TanhGELU, packed=True),
    "opt-1.3b": network(Decoder, "tokens", (1024,), 50272, 1315758080, "transformers", "OPT",
                        dict(hidden_size=2048, num_hidden_layers=24, num_attention_heads=32, ffn_dim=8192,
                             word_embed_proj_dim=2048, vocab_size=50272),
                        layers=24, width=2048, heads=32, ffn=8192, vocab=50272, positions=2050, act=nn.ReLU, packed=False,
                        offset=2, attention_dropout=0.0),
    "resnet18": network(resnet, "image", (3, 224, 224), 1000, 11689512, "torchvision", "resnet18", blocks=(2, 2, 2, 2), expansion=1),
    "resnet101": network(resnet, "image", (3, 224, 224), 1000, 44549160, "torchvision", "resnet101", blocks=(3, 4, 23, 3), expansion=4),
    "efficientnet-b0": network(efficientnet_b0, "image", (3, 224, 224), 1000, 5288548, "torchvision", "efficientnet_b0"),
    "convnext-t": network(convnext_t, "image", (3, 224, 224), 1000, 28589128, "torchvision", "convnext_tiny"),
    "swin-t": network(Swin, "image", (3, 224, 224), 1000, 28288354, "torchvision", "swin_t"),
    "unet": network(UNet, "image", (1, 512, 512), 2, 31030658, per_pixel=True),
    "conv1d-m11": network(conv1d_m11, "audio", (1, 32000), 10, 0),
    "lstm-lm": network(LstmLanguageModel, "tokens", (35,), 10000, 0),
}


class FromTransformers(nn.Module):
    """A transformers model with plain tensors in and the logits out."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        return self.model(**dict(zip(("input_ids", "attention_mask"), inputs)), return_dict=True).logits


def source_of(name, wanted):
    """own, or library where that is wanted, exists and is installed."""
    library = ZOO[name].library
    return "library" if wanted == "library" and library and importlib.util.find_spec(library[0]) else "own"


def build(name, attention, source="own", **over):
    """A network of the zoo; source library: the version of torchvision or transformers, where there is one."""
    net = ZOO[name]
    if source_of(name, source) == "own":
        return net.build(attention, **over)
    module, cls, *settings = net.library
    if module == "torchvision":
        import torchvision
        return getattr(torchvision.models, cls)(weights=None)
    import transformers
    config = getattr(transformers, cls + "Config")(use_cache=False, **settings[0])
    config._attn_implementation = "sdpa" if attention == "flash" else "eager"
    task = {"Llama": "LlamaForCausalLM", "GPT2": "GPT2LMHeadModel", "OPT": "OPTForCausalLM"}
    return FromTransformers(getattr(transformers, task.get(cls, cls + "ForSequenceClassification"))(config))


def example_inputs(net, batch, seq, device, dtype=torch.float32):
    """Random inputs and targets. Targets: class per sample, per position or per pixel."""
    def classes(*shape):
        return torch.randint(net.classes, shape, device=device)
    if net.inputs.startswith("tokens"):
        vocab = net.classes if net.inputs == "tokens" else 30000
        ids = torch.randint(vocab, (batch, seq), device=device)
        if net.inputs == "tokens+mask":
            return (ids, torch.ones_like(ids)), classes(batch)
        return (ids,), classes(batch, seq)
    x = torch.randn(batch, *net.shape, device=device, dtype=dtype)
    return (x,), classes(batch, *net.shape[1:]) if net.per_pixel else classes(batch)


# ---------------------------------------------------------------------------------------------------------
# 2. The graph: structure only. A weight is an external tensor in a file that does not exist.
# ---------------------------------------------------------------------------------------------------------

KEPT_BYTES, KEPT_INTEGER_BYTES = 1024, 65536   # smaller tensors stay: their values may decide shapes
CLASSES = "pkg.torch.onnx.class_hierarchy"
KEPT_METADATA = ("pkg.torch.onnx.name_scopes", CLASSES, "pkg.onnxscript.rewriter.rule_name")   # `namespace` repeats them


@contextlib.contextmanager
def unwritten_weights():
    """New parameters are not initialised: their memory is never touched, so a 5 GB network costs nothing."""
    names = [n for n in dir(nn.init) if n.endswith("_") and not n.startswith("_")]
    saved = {n: getattr(nn.init, n) for n in names}
    try:
        for n in names:
            setattr(nn.init, n, lambda tensor, *_, **__: tensor)
        yield
    finally:
        for n, function in saved.items():
            setattr(nn.init, n, function)


def zero_weights(model):
    """Zero weights, never touched. The first element tells tensors apart: exporters merge equal ones."""
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.data = torch.zeros(p.shape, dtype=p.dtype)
            p.view(-1)[0] = (i + 1) / 1024
    return model


def weightless(name, source):
    with unwritten_weights():
        return zero_weights(build(name, "eager", source))


def dynamic_dims(net):
    batch = {0: "batch"}
    return {"tokens": [{**batch, 1: "seq"}], "tokens+mask": [{**batch, 1: "seq"}] * 2}.get(net.inputs, [batch])


def input_names(net):
    return {"tokens": ["input_ids"], "tokens+mask": ["input_ids", "attention_mask"], "audio": ["audio"]}.get(
        net.inputs, ["images"])


def external(tensor_bytes, is_integer):
    return tensor_bytes > (KEPT_INTEGER_BYTES if is_integer else KEPT_BYTES)


def prune_metadata(nodes):
    for node in nodes:
        node.doc_string = None
        for key in [k for k in node.metadata_props if k not in KEPT_METADATA]:
            del node.metadata_props[key]
        if CLASSES in node.metadata_props:     # class names without their Python modules: a third of the file
            node.metadata_props[CLASSES] = re.sub(r"'(?!aten)(?:\w+\.)+(\w+)'", r"'\1'", node.metadata_props[CLASSES])


def export_inference(model, inputs, net, path, opset=20, by_name=False):
    """PyTorch's exporter on torch.export: BatchNormalization folded, Dropout gone. by_name: as keyword arguments."""
    import onnx_ir as ir
    symbols = {"batch": torch.export.Dim("batch"), "seq": torch.export.Dim("seq")}
    shapes = [{axis: symbols[n] for axis, n in dims.items()} for dims in dynamic_dims(net)]
    named = dict(zip(input_names(net), inputs)) if by_name else None
    shapes = dict(zip(named, shapes)) if by_name else tuple(shapes)
    program = torch.onnx.export(model.eval(), () if by_name else inputs, kwargs=named, dynamo=True, dynamic_shapes=shapes, opset_version=opset,
                                input_names=input_names(net), output_names=["logits"], optimize=True, verbose=False)
    graph, offset = program.model.graph, 0
    for name, value in graph.initializers.items():
        tensor = value.const_value
        if external(tensor.nbytes, tensor.dtype.is_integer()):
            value.const_value = ir.ExternalTensor(os.path.basename(path)[:-5] + ".weights", offset, tensor.nbytes,
                                                  tensor.dtype, shape=ir.Shape(tensor.shape), name=name)
            offset += tensor.nbytes
    kept = {id(v) for v in (*graph.inputs, *graph.outputs, *graph.initializers.values())}
    for node in graph:
        for value in node.outputs:
            if id(value) not in kept:
                value.type, value.shape = None, None     # value_info: a reader infers it
            value.metadata_props.clear()
    prune_metadata(graph)
    for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
        value.metadata_props.clear()
    graph.metadata_props.clear()
    program.model.metadata_props.clear()
    proto = ir.to_proto(program.model)
    with open(path, "wb") as file:
        file.write(proto.SerializeToString())


def export_training(model, inputs, net, path, opset=17):
    """The TorchScript exporter in training form: BatchNormalization and Dropout stay, nothing is folded."""
    import onnx
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = os.path.join(folder, "whole.onnx")
        torch.onnx.export(model.train(), inputs, whole, dynamo=False, training=torch.onnx.TrainingMode.TRAINING,
                          do_constant_folding=False, opset_version=opset, input_names=input_names(net),
                          output_names=["logits"], dynamic_axes={**dict(zip(input_names(net), dynamic_dims(net))),
                                                                 "logits": {0: "batch"}})
        proto, offset = onnx.load(whole, load_external_data=False), 0
    for tensor in proto.graph.initializer:
        count = math.prod(tensor.dims)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        if not external(count * dtype.itemsize, dtype.kind in "iu"):
            continue
        for part in ("raw_data", "float_data", "external_data"):
            tensor.ClearField(part)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", os.path.basename(path)[:-5] + ".weights"), ("offset", offset),
                           ("length", count * dtype.itemsize)):
            tensor.external_data.add(key=key, value=str(value))
        offset += count * dtype.itemsize
    for node in proto.graph.node:
        node.ClearField("doc_string")
    proto.graph.ClearField("value_info")
    onnx.save(proto, path)


def random_in_training(model):
    """Whether the training step has operators that the inference export drops."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) or isinstance(m, nn.Dropout) and m.p > 0
               for m in model.modules())


def graph_file(name, mode, source):
    with unwritten_weights(), torch.device("meta"):
        train = mode == "train" and random_in_training(build(name, "eager", "own"))
    return name + ("-library" if source_of(name, source) == "library" else "") + ("-train" if train else "") + ".onnx"


def export_graph(name, mode, folder, source="own"):
    """Writes the graph of a network unless it is there; returns its file name."""
    file = graph_file(name, mode, source)
    path = os.path.join(folder, file)
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        net = ZOO[name]
        inputs, _ = example_inputs(net, 2, min(net.shape[0], 128), "cpu")
        with torch.no_grad():
            (export_training if "-train" in file else export_inference)(weightless(name, source), inputs, net, path)
    return file


# ---------------------------------------------------------------------------------------------------------
# 3. The device: NVML by ctypes (nothing to install), sampled by a thread while the window runs.
# ---------------------------------------------------------------------------------------------------------

SLOWED = {0x08: "hardware slowdown", 0x20: "thermal (software)", 0x40: "thermal (hardware)", 0x80: "power brake"}
POWER_CAP = 0x04


class Nvml:
    """One GPU's counters; every reading is None where the driver does not give it. Nothing is ever set."""

    def __init__(self, uuid, library="libnvidia-ml.so.1"):
        self.lib, self.device = ctypes.CDLL(library), ctypes.c_void_p()
        if self.lib.nvmlInit_v2() != 0:
            raise OSError("nvmlInit failed")
        if self.lib.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(self.device)) != 0:
            raise OSError(f"NVML does not know {uuid}")

    def read(self, function, kind, *args):
        value = kind()
        call = getattr(self.lib, function, None)
        ok = call is not None and call(self.device, *args, ctypes.byref(value)) == 0
        return value.value if ok else None

    def text(self, function, with_device=True):
        buffer = ctypes.create_string_buffer(96)
        call = getattr(self.lib, function, None)
        ok = call is not None and call(*([self.device] if with_device else []), buffer, 96) == 0
        return buffer.value.decode() if ok else None

    def energy_J(self):
        value = self.read("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
        return None if value is None else value / 1e3

    def power_W(self):
        value = self.read("nvmlDeviceGetPowerUsage", ctypes.c_uint)
        return None if value is None else value / 1e3

    def limit_W(self):
        value = self.read("nvmlDeviceGetEnforcedPowerLimit", ctypes.c_uint)
        return None if value is None else value / 1e3

    def clock_Hz(self, domain):
        """domain 1: SM, 2: memory"""
        value = self.read("nvmlDeviceGetClockInfo", ctypes.c_uint, domain)
        return None if value is None else value * 1e6

    def temperature_C(self):
        return self.read("nvmlDeviceGetTemperature", ctypes.c_uint, 0)

    def throttle(self):
        return self.read("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong) or 0

    def processes(self):
        """Compute processes on the device (24 bytes each in the third version of the call)."""
        call, count = getattr(self.lib, "nvmlDeviceGetComputeRunningProcesses_v3", None), ctypes.c_uint(64)
        if call is None or call(self.device, ctypes.byref(count), ctypes.create_string_buffer(64 * 24)) != 0:
            return None
        return count.value

    def state(self):
        return {"driver": self.text("nvmlSystemGetDriverVersion", False), "vbios": self.text("nvmlDeviceGetVbiosVersion"),
                "power_limit_W": self.limit_W(), "power_W": self.power_W(), "temperature_C": self.temperature_C(),
                "sm_clock_Hz": self.clock_Hz(1), "memory_clock_Hz": self.clock_Hz(2), "throttle": self.throttle(),
                "max_sm_clock_Hz": (self.read("nvmlDeviceGetMaxClockInfo", ctypes.c_uint, 1) or 0) * 1e6 or None,
                "persistence": self.read("nvmlDeviceGetPersistenceMode", ctypes.c_uint),
                "processes": self.processes()}


@dataclass
class Samples:
    """What the thread saw, and what follows for a window of time."""
    at: list = field(default_factory=list)       # (time_s, energy_J, power_W, sm_Hz, memory_Hz, temperature, throttle)

    def window(self, start_s, end_s):
        """Average power between two times, the way it was found, and the device's state."""
        seen = [s for s in self.at if start_s <= s[0] <= end_s]
        out = {"samples": len(seen), "average_power_W": None, "power_method": None, "power_peak_W": None,
               "sm_clock_Hz": None, "sm_clock_min_Hz": None, "sm_clock_max_Hz": None, "memory_clock_Hz": None,
               "temperature_C": None, "throttle": 0}
        if not seen:
            return out
        columns = list(zip(*seen))
        out["average_power_W"], out["power_method"] = self.power(seen)
        for key, column, reduce in (("power_peak_W", 2, max), ("sm_clock_Hz", 3, statistics.fmean),
                                    ("sm_clock_min_Hz", 3, min), ("sm_clock_max_Hz", 3, max),
                                    ("memory_clock_Hz", 4, statistics.fmean), ("temperature_C", 5, max)):
            values = [v for v in columns[column] if v is not None]
            out[key] = reduce(values) if values else None
        out["throttle"] = functools.reduce(lambda a, b: a | b, columns[6])
        return out

    @staticmethod
    def power(seen):
        """Slope of the energy counter between its first and last tick; else the trapezoid rule on power."""
        ticks = [b for a, b in zip(seen, seen[1:]) if None not in (a[1], b[1]) and b[1] > a[1]]
        if len(ticks) >= 3:
            return (ticks[-1][1] - ticks[0][1]) / (ticks[-1][0] - ticks[0][0]), "energy counter"
        known = [(s[0], s[2]) for s in seen if s[2] is not None]
        if len(known) < 2:
            return None, None
        area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(known, known[1:]))
        return area / (known[-1][0] - known[0][0]), "sampled"


class Sampler:
    """Context: a thread that reads NVML every period_s. Without NVML it reads nothing."""

    def __init__(self, nvml, period_s=0.02):
        self.nvml, self.period_s, self.samples, self.stop = nvml, period_s, Samples(), threading.Event()

    def loop(self):
        n, tick = self.nvml, 0
        sm = memory = celsius = None
        reasons = 0
        while not self.stop.wait(self.period_s):
            if tick % 5 == 0:       # the slow readings every tenth of a second
                sm, memory, celsius, reasons = n.clock_Hz(1), n.clock_Hz(2), n.temperature_C(), n.throttle()
            joules = n.energy_J()
            watts = n.power_W() if tick % 5 == 0 or joules is None else None
            self.samples.at.append((time.perf_counter(), joules, watts, sm, memory, celsius, reasons))
            tick += 1

    def __enter__(self):
        self.thread = threading.Thread(target=self.loop, daemon=True)
        if self.nvml:
            self.thread.start()
        return self.samples

    def __exit__(self, *_):
        self.stop.set()
        if self.nvml:
            self.thread.join()


class Device:
    """Where it runs: torch device, NVML or None, names, and the group of data-parallel processes."""

    def __init__(self, kind):
        self.world, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        local = int(os.environ.get("LOCAL_RANK", 0))
        self.cuda = kind == "cuda"
        self.torch = torch.device("cuda", local) if self.cuda else torch.device("cpu")
        self.nvml, self.why_no_nvml = None, "no NVML on a CPU"
        if self.cuda:
            torch.cuda.set_device(self.torch)
            self.properties = torch.cuda.get_device_properties(self.torch)
            try:
                self.nvml = Nvml("GPU-" + str(self.properties.uuid))
            except (OSError, AttributeError) as error:
                self.why_no_nvml = str(error)
        if self.world > 1:
            torch.distributed.init_process_group("nccl" if self.cuda else "gloo")

    def sync(self):
        if self.cuda:
            torch.cuda.synchronize()

    def mark(self):
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between_s(self, a, b):
        return a.elapsed_time(b) / 1e3 if self.cuda else b - a

    def agree(self, value):
        """The first process's value on all of them (an integer)."""
        if self.world == 1:
            return value
        tensor = torch.tensor([value], device=self.torch)
        torch.distributed.broadcast(tensor, 0)
        return int(tensor.item())

    def mean(self, value):
        """Mean over the processes; None if one has none."""
        if self.world == 1:
            return value
        tensor = torch.tensor([0.0 if value is None else value, float(value is None)], dtype=torch.float64,
                              device=self.torch)
        torch.distributed.all_reduce(tensor)
        return None if tensor[1] > 0 else float(tensor[0]) / self.world

    def barrier(self):
        if self.world > 1:
            torch.distributed.barrier()

    def gpu_id(self):
        """Name of the GPU in ADEPT's hardware files, by rule; --gpu overrides it."""
        if not self.cuda:
            return "cpu"
        special = {"NVIDIA H200": "h200-sxm-141gb", "NVIDIA H100 80GB HBM3": "h100-sxm5-80gb"}
        name = torch.cuda.get_device_name(self.torch)
        rule = re.sub(r"nvidia |tesla |geforce ", "", name.lower()).replace("rtx ", "rtx").replace(" ", "-")
        return special.get(name, rule)


def host_name():
    """The CPU, because the time of a kernel launch is the host's."""
    with contextlib.suppress(OSError):
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            if line.startswith("model name"):
                words = re.sub(r"\(r\)|\(tm\)|@.*|processor|cpu", "", line.split(":")[1].lower())
                return "-".join(words.split())
    return platform.machine()


# ---------------------------------------------------------------------------------------------------------
# 4. A run: one network in one configuration, warmed up, then a window of whole steps.
# ---------------------------------------------------------------------------------------------------------

PRECISIONS = {  # name: (type of parameters and inputs, autocast type or None, TF32 allowed)
    "fp32": (torch.float32, None, False), "tf32": (torch.float32, None, True),
    "fp16-amp": (torch.float32, torch.float16, True), "bf16-amp": (torch.float32, torch.bfloat16, True),
    "bf16": (torch.bfloat16, None, True), "fp16": (torch.float16, None, True)}
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD,
              "sgd-momentum": functools.partial(torch.optim.SGD, momentum=0.9)}
IMPLEMENTATIONS = {"foreach": {"foreach": True}, "for-loop": {"foreach": False}, "fused": {"fused": True}}
TRACE_COLUMNS = ("graph,batch,seq,dims,precision,mode,optimizer,gpus,grad_accum,power_limit_W,step_time_s,average_power_W,"
                 "power_scope,gpu,weight,source,clock_limit_Hz,forward_time_s,backward_time_s,attention,layout,fusion,"
                 "amp_level,framework,host,optimizer_impl").split(",")
OOM = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)


@dataclass(frozen=True)
class Run:
    """One configuration; equal configurations are measured once."""
    model: str
    batch: int
    seq: int = 0
    precision: str = "fp32"
    mode: str = "train"
    optimizer: str = "adamw"
    impl: str = "foreach"
    accum: int = 1
    fusion: str = "eager"
    attention: str = "eager"
    layout: str = "nchw"

    def key(self, world):
        return " ".join(str(v) for v in (*asdict(self).values(), world))

    def label(self):
        extra = [v for v, usual in ((self.fusion, "eager"), (self.attention, "eager"), (self.layout, "nchw")) if v != usual]
        extra += [f"{self.accum} micro-batches"] if self.accum > 1 else []
        extra += [f"{self.optimizer} {self.impl}"] if self.mode == "train" else []
        return f"{self.model} {self.batch}{f'x{self.seq}' if self.seq else ''} {self.precision} {self.mode} {' '.join(extra)}"


def normal(run):
    """Fills in what the network decides: sequence length; no optimizer in inference."""
    net = ZOO[run.model]
    seq = (run.seq or net.shape[0]) if net.inputs.startswith("tokens") else 0
    return replace(run, seq=seq, **({} if run.mode == "train" else {"optimizer": "none", "impl": "none", "accum": 1}))


def precision_settings(run, benchmark):
    allow = PRECISIONS[run.precision][2]
    torch.backends.cuda.matmul.allow_tf32 = allow
    torch.backends.cudnn.allow_tf32 = allow
    torch.backends.cudnn.benchmark = benchmark


class Step:
    """step(): enqueues one optimizer step (or one inference batch). step(marks): also notes phase borders."""

    def __init__(self, run, device, source="own", shrink=False, loss="ce"):
        dtype, amp, _ = PRECISIONS[run.precision]
        self.run, self.device, self.loss_kind = run, device, loss
        net = ZOO[run.model]
        small = {"layers": 2} if shrink and net.inputs.startswith("tokens") else {}
        if shrink and run.model == "unet":
            net = replace(net, shape=(1, 64, 64))
        with device.torch:
            model = build(run.model, run.attention, source, **small)
            self.inputs, self.target = example_inputs(net, run.batch, run.seq, device.torch, dtype)
        model = model.to(device.torch, dtype)
        self.parameters = sum(p.numel() for p in model.parameters())
        if run.layout == "nhwc":
            model = model.to(memory_format=torch.channels_last)
            self.inputs = tuple(x.to(memory_format=torch.channels_last) for x in self.inputs)
        self.cast = (lambda: torch.autocast(device.torch.type, amp)) if amp else contextlib.nullcontext
        self.data_parallel = None
        if run.mode == "train":
            model.train()
            self.optimizer = OPTIMIZERS[run.optimizer](model.parameters(), lr=1e-5, **IMPLEMENTATIONS[run.impl])
            self.scaler = torch.amp.GradScaler(device.torch.type, enabled=run.precision == "fp16-amp")
            if device.world > 1:
                model = self.data_parallel = nn.parallel.DistributedDataParallel(
                    model, device_ids=[device.torch.index] if device.cuda else None)
        else:
            model.eval()
        self.model = torch.compile(model) if run.fusion == "compiled" else model

    def loss(self, out):
        if self.loss_kind == "sum":
            return out.sum()
        out = out.float()
        return F.cross_entropy(out.flatten(0, 1), self.target.flatten()) if out.dim() == 3 else \
            F.cross_entropy(out, self.target)

    def __call__(self, marks=None):
        if self.run.mode != "train":
            with torch.inference_mode(), self.cast():
                self.model(*self.inputs)
            return
        self.optimizer.zero_grad(set_to_none=True)
        for micro in range(self.run.accum):
            last = micro == self.run.accum - 1
            alone = self.data_parallel.no_sync() if self.data_parallel and not last else contextlib.nullcontext()
            with alone:
                begin = self.device.mark() if marks is not None else None
                with self.cast():
                    loss = self.loss(self.model(*self.inputs)) / self.run.accum
                middle = self.device.mark() if marks is not None else None
                self.scaler.scale(loss).backward()
                if marks is not None:
                    marks.append((begin, middle, self.device.mark()))
        self.scaler.step(self.optimizer)
        self.scaler.update()


def warm_up(step, device, at_least_s):
    """Runs steps until at_least_s have passed (three at least); returns the time of one from the last of them."""
    for _ in range(3):
        step()
    device.sync()
    count, start = 0, time.perf_counter()
    while True:
        begin = time.perf_counter()
        step()
        device.sync()
        count, now = count + 1, time.perf_counter()
        if device.agree(int(now - start >= at_least_s)):
            return now - begin


def timed_window(step, device, window_s, estimate_s, marked=50):
    """Whole steps for about window_s; the queue is never drained inside. Returns times and NVML's window."""
    steps = device.agree(max(3, math.ceil(window_s / estimate_s)))
    marks, ends = [], [None] * (steps + 1)
    device.barrier()
    device.sync()
    with Sampler(device.nvml) as samples:
        start = time.perf_counter()
        ends[0] = device.mark()
        for i in range(steps):
            step(marks if i < marked else None)
            ends[i + 1] = device.mark()
        enqueued = time.perf_counter()
        device.sync()
        end = time.perf_counter()
    single = sorted(device.between_s(a, b) for a, b in zip(ends, ends[1:]))
    return {"steps": steps, "window_s": end - start, "step_time_s": (end - start) / steps, "queue_s": end - enqueued,
            "step_median_s": single[steps // 2], "step_p10_s": single[steps // 10], "step_p90_s": single[steps * 9 // 10],
            "phases": marks, **samples.window(start, end)}


def phase_times(phases, run, device):
    """Mean forward and backward time of one step, from events (eager training only)."""
    if not phases or run.fusion != "eager":
        return None, None
    steps = len(phases) / run.accum
    return (sum(device.between_s(a, b) for a, b, _ in phases) / steps,
            sum(device.between_s(b, c) for _, b, c in phases) / steps)


def judge(record, window_s):
    """Weight of the row and the remarks that explain it."""
    weight, remarks = 1.0, []

    def less(value, why):
        nonlocal weight
        weight = min(weight, value)
        remarks.append(why)
    if record["average_power_W"] is not None and record["window_s"] < 0.9 * min(window_s, 5.0):
        less(0.5, f"window of {record['window_s']:.1f} s only")
    if record["queue_s"] < 0.1 * record["step_time_s"] and record["device"] == "cuda":
        less(0.25, "launch bound")
    for bit, name in SLOWED.items():
        if record["throttle"] & bit:
            less(0.5, name)
    if record["throttle"] & POWER_CAP:
        remarks.append("at the power limit")
    if (record.get("processes") or 0) > record["gpus_here"]:
        less(0.25, "other processes on the GPU")
    if record["step_p90_s"] > 1.2 * record["step_p10_s"] and record["steps"] >= 10:
        less(0.5, "unsteady steps")
    return weight, remarks


def measure_run(run, device, args):
    """One raw record: configuration, times, power, state of the device."""
    if device.cuda:
        torch.cuda.reset_peak_memory_stats()
    precision_settings(run, args.cudnn_benchmark)
    step = Step(run, device, args.zoo, args.shrink, args.loss)
    estimate = warm_up(step, device, args.warmup_s)
    found = timed_window(step, device, args.window_s, estimate)
    forward, backward = phase_times(found.pop("phases"), run, device)
    record = {"kind": "run", "key": run.key(device.world), **asdict(run), "gpus": device.world, "gpus_here": 1,
              "zoo": source_of(run.model, args.zoo), "loss": args.loss, "parameters": step.parameters, "device": device.torch.type, **found,
              "forward_time_s": forward, "backward_time_s": backward,
              "peak_memory_B": torch.cuda.max_memory_allocated() if device.cuda else None,
              "processes": device.nvml.processes() if device.nvml else None}
    record["average_power_W"] = device.mean(record["average_power_W"])
    record["weight"], record["remarks"] = judge(record, args.window_s)
    return record


def trace_row(record, graph, session, args):
    """A raw record as a row of the trace CSV (empty: not measured)."""
    run = {k: record[k] for k in ("batch", "seq", "precision", "mode", "optimizer")}
    source = [f"collect_torch {VERSION}", f"torch {torch.__version__}", session["date"][:10],
              f"window {record['window_s']:.1f} s", f"loss {record['loss']}"] + record["remarks"]
    row = {"graph": graph, **run, "seq": record["seq"] or "", "gpus": record["gpus"], "grad_accum": record["accum"],
           "power_limit_W": session["state"].get("power_limit_W"), "step_time_s": record["step_time_s"],
           "average_power_W": record["average_power_W"], "power_scope": "gpu" if record["average_power_W"] else "",
           "gpu": args.gpu, "weight": record["weight"], "source": "; ".join(source),
           "forward_time_s": record["forward_time_s"], "backward_time_s": record["backward_time_s"],
           "attention": record["attention"], "layout": record["layout"], "fusion": record["fusion"],
           "amp_level": "autocast" if record["precision"].endswith("amp") else "", "framework": "pytorch",
           "host": args.host, "optimizer_impl": "" if record["impl"] == "none" else record["impl"]}
    return {k: "" if row.get(k) is None else f"{row[k]:.6g}" if isinstance(row.get(k), float) else row.get(k, "")
            for k in TRACE_COLUMNS}


# ---------------------------------------------------------------------------------------------------------
# 5. Operators: each is called for a window of time; small ones from a CUDA graph, so that launches do not count.
# ---------------------------------------------------------------------------------------------------------

OPS_COLUMNS = ("name,dims,precision,data,time_s,calls,window_s,average_power_W,energy_per_call_J,flop,bytes,sm_clock_Hz,"
               "sm_clock_min_Hz,memory_clock_Hz,temperature_C,throttle,power_limit_W,gpu,weight,method,source").split(",")
TYPES = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16,
         "int32": torch.int32}


@dataclass(frozen=True)
class Op:
    """One operator: make(op, device) returns a list of calls (same work, different buffers)."""
    name: str
    make: object
    dims: tuple = ()          # ((name, size), ...)
    precision: str = "fp32"
    data: str = "random"      # random: normal; small: normal / 1000; zero; integer: whole numbers of -4..4
    flop: float = 0.0         # per call
    bytes: float = 0.0        # device memory (or L2, for copies inside it), read and written, per call
    sets: int = 0             # buffers to rotate over; 0: enough to leave the L2 cache

    def key(self):
        return " ".join([self.name, *(f"{k}={v}" for k, v in self.dims), self.precision, self.data])

    def size(self, name):
        return dict(self.dims)[name]


def filled(shape, op, device):
    dtype = TYPES.get(op.precision, torch.float32)
    if op.data == "zero":
        return torch.zeros(shape, device=device, dtype=dtype)
    if op.data == "integer":
        return torch.randint(-4, 5, shape, device=device).to(dtype)
    x = torch.empty(shape, device=device, dtype=dtype).normal_()
    return x * 1e-3 if op.data == "small" else x


def gemm(op, device):
    b, m, n, k = (op.size(s) for s in ("B", "M", "N", "K"))
    x, y = filled((b, m, k), op, device), filled((b, n, k), op, device).transpose(1, 2)   # y = x A^T, as a Linear does
    out = torch.empty((b, m, n), device=device, dtype=x.dtype)
    return (lambda: torch.mm(x[0], y[0], out=out[0])) if b == 1 else (lambda: torch.bmm(x, y, out=out))


def gemm_fp8(op, device):
    m, n, k = (op.size(s) for s in ("M", "N", "K"))
    plain = replace(op, precision="bf16")
    x = filled((m, k), plain, device).to(torch.float8_e4m3fn)
    y = filled((n, k), plain, device).to(torch.float8_e4m3fn).t()
    one = torch.ones((), device=device)
    return lambda: torch._scaled_mm(x, y, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)


def convolution(op, device):
    n, c, o, p, k, g, s = (op.size(d) for d in ("N", "C_in", "C_out", "size", "kernel", "groups", "stride"))
    x, w = filled((n, c, p, p), op, device), filled((o, c // g, k, k), op, device)
    if op.name.endswith("nhwc"):
        x, w = (t.contiguous(memory_format=torch.channels_last) for t in (x, w))
    return lambda: F.conv2d(x, w, None, s, k // 2, 1, g)


def on_rows(function):
    """An operator on x [rows, columns]."""
    def make(op, device):
        x = filled((op.size("rows"), op.size("columns")), op, device)
        return function(x)
    return make


def layer_norm(x):
    weight, bias = x.new_ones(x.shape[-1]), x.new_zeros(x.shape[-1])
    return lambda: F.layer_norm(x, x.shape[-1:], weight, bias)


def add(x):
    y, out = x.clone(), torch.empty_like(x)
    return lambda: torch.add(x, y, out=out)


def copy(op, device):
    x = filled((op.size("elements"),), op, device)
    y = torch.empty_like(x)
    return (lambda: y.copy_(x)) if op.name.startswith("copy") else (lambda: torch.mul(x, 2, out=y))


def triton_kernels():
    """Two kernels that stay in registers, or None where there is no Triton."""
    try:
        import triton
        import triton.language as tl
    except ImportError:
        return None
    globals()["tl"] = tl      # a jitted function finds its names among the module's

    @triton.jit
    def integer_chain(x, rounds, BLOCK: tl.constexpr):
        """xorshift32: each operation needs the one before; no floating point, no memory."""
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        v = tl.load(x + at)
        for _ in range(rounds):
            v = v ^ (v << 13)
            v = v ^ ((v >> 17) & 0x7FFF)
            v = v ^ (v << 5)
        tl.store(x + at, v)

    @triton.jit
    def fma_chain(x, a, b, rounds, BLOCK: tl.constexpr):
        """Fused multiply-adds on values in registers, several independent ones per thread."""
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        v = tl.load(x + at)
        for _ in range(rounds):
            v = v * a + b
            v = v * a + b
            v = v * a + b
            v = v * a + b
        tl.store(x + at, v)
    return integer_chain, fma_chain


def register_chain(op, device):
    """op int-chain or fma-chain: 2048 resident threads per SM that hardly touch memory."""
    integer, rounds, kernels = op.name == "int-chain", op.size("rounds"), triton_kernels() if device.type == "cuda" else None
    count, block = op.size("elements"), op.size("block")
    x = torch.randint(1, 2 ** 31 - 1, (count,), device=device, dtype=torch.int32) if integer else \
        filled((count,), op, device)
    if kernels is None:           # elementwise calls: passes through memory, so no pure figure; `method` says so
        call = (lambda: x.bitwise_xor_(x << 13)) if integer else (lambda: x.mul_(0.999).add_(0.001))
        call.method, call.flop = "elementwise fallback, not in registers", 0.0
        return call
    grid = (count // block,)
    call = (lambda: kernels[0][grid](x, rounds, BLOCK=block, num_warps=4)) if integer else \
        (lambda: kernels[1][grid](x, 0.999, 0.001, rounds, BLOCK=block, num_warps=4))
    call.method = "triton"
    return call


def idle(op, device):
    return None


def alternate(op, device):
    """A matrix product for period/2, then a copy for period/2, over and over: shows how fast a power limit acts."""
    n, half_s = op.size("M"), op.size("period_us") / 2e6
    product = gemm(replace(op, dims=(("B", 1), ("M", n), ("N", n), ("K", n)), precision="bf16"), device)
    copying = copy(replace(op, name="copy", dims=(("elements", op.size("elements")),), precision="fp32"), device)
    product_s, copying_s = (seconds_per_call([call], device) for call in (product, copying))
    products, copies = max(1, round(half_s / product_s)), max(1, round(half_s / copying_s))

    def call():
        for _ in range(products):
            product()
        for _ in range(copies):
            copying()
    call.flop, call.bytes = products * 2.0 * n ** 3, copies * 8.0 * op.size("elements")
    call.method = f"{products} products of {product_s * 1e6:.0f} us, {copies} copies of {copying_s * 1e6:.0f} us"
    return call


def sync(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds_per_call(calls, device, at_least_s=0.05):
    for call in calls:
        call()
    sync(device)
    count, start = 0, time.perf_counter()
    while True:
        for call in calls:
            call()
        sync(device)
        count, passed = count + len(calls), time.perf_counter() - start
        if passed >= at_least_s:
            return passed / count


def replayed(calls, per_call_s, device):
    """(function, calls in it): a CUDA graph of about 20 ms of calls, or the plain calls where they are long."""
    rounds = max(1, round(0.02 / (per_call_s * len(calls))))

    def play():
        for _ in range(rounds):
            for call in calls:
                call()
    if device.type != "cuda" or per_call_s > 2e-3:
        return play, rounds * len(calls)
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        play()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        play()
    return graph.replay, rounds * len(calls)


def measure_op(op, device, args):
    """One raw record of an operator, or of the device doing nothing."""
    precision_settings(replace(Run("resnet50", 1), precision=op.precision if op.precision in PRECISIONS else "fp32"), True)
    cache = device.properties.L2_cache_size if device.cuda else 0
    sets = op.sets or max(1, min(16, math.ceil(2 * cache / op.bytes) if op.bytes else 1))
    with torch.inference_mode():
        calls = [op.make(op, device.torch) for _ in range(sets)]
        method = getattr(calls[0], "method", "torch")
        if calls[0] is None:
            play, per_play, per_call = (lambda: time.sleep(0.1)), 1, 0.1
        else:
            per_call = seconds_per_call(calls, device.torch)
            play, per_play = replayed(calls, per_call, device.torch) if not op.name.startswith("alternate") else (calls[0], 1)
        settle = time.perf_counter()
        while time.perf_counter() - settle < args.settle_s:
            play()
            device.sync()
        plays = max(1, math.ceil(args.op_window_s / (per_call * per_play)))
        with Sampler(device.nvml) as samples:
            start, limit, done = time.perf_counter(), 2 * args.op_window_s, 0
            events = []
            for done in range(1, plays + 1):
                play()
                if device.cuda and calls[0] is not None:      # never more than two plays ahead of the device
                    events.append(device.mark())
                    if len(events) > 2:
                        events.pop(0).synchronize()
                if time.perf_counter() - start > limit:
                    break
            device.sync()
            end = time.perf_counter()
    seen, count = samples.window(start, end), done * per_play
    power = seen["average_power_W"]
    return {"kind": "op", "key": op.key(), "name": op.name, "dims": " ".join(f"{k}={v}" for k, v in op.dims),
            "precision": op.precision, "data": op.data, "sets": sets, "time_s": (end - start) / count, "calls": count,
            "window_s": end - start, "energy_per_call_J": power * (end - start) / count if power else None,
            "flop": getattr(calls[0], "flop", op.flop), "bytes": getattr(calls[0], "bytes", op.bytes), "method": method, **seen,
            "processes": device.nvml.processes() if device.nvml else None}


def op_row(record, session, args):
    slowed = [name for bit, name in SLOWED.items() if record["throttle"] & bit]
    busy = (record["processes"] or 0) > 1
    row = {**record, "power_limit_W": session["state"].get("power_limit_W"), "gpu": args.gpu,
           "weight": 0.25 if busy else 0.5 if slowed or record["window_s"] < 2.5 else 1,
           "source": "; ".join([f"collect_torch {VERSION}", f"torch {torch.__version__}", session["date"][:10]] + slowed
                               + (["other processes on the GPU"] if busy else []))}
    return {k: "" if row.get(k) is None else f"{row[k]:.6g}" if isinstance(row.get(k), float) else row[k]
            for k in OPS_COLUMNS}


def bytes_of(precision):
    return 1 if precision == "fp8" else torch.tensor([], dtype=TYPES[precision]).element_size()


def gemm_op(precision, m, n, k, b=1, data="random", name="gemm"):
    size = bytes_of(precision)
    return Op(name, gemm_fp8 if precision == "fp8" else gemm, (("B", b), ("M", m), ("N", n), ("K", k)), precision, data,
              2.0 * b * m * n * k, float(b * (m * k + n * k + m * n) * size))


def conv_op(precision, n, c, o, p, k, stride=1, groups=1, layout="nchw"):
    size, q = bytes_of(precision), (p - 1) // stride + 1
    return Op(f"conv-{layout}", convolution, (("N", n), ("C_in", c), ("C_out", o), ("size", p), ("kernel", k),
                                              ("groups", groups), ("stride", stride)), precision, "random",
              2.0 * n * o * q * q * (c // groups) * k * k, float(size * (n * c * p * p + o * c // groups * k * k + n * o * q * q)))


def row_op(name, function, precision, rows, columns, reads_writes):
    return Op(name, on_rows(function), (("rows", rows), ("columns", columns)), precision, "random", 0.0,
              float(reads_writes * rows * columns * bytes_of(precision)))


def copy_op(name, mebibytes, sets=1):
    return Op(name, copy, (("elements", mebibytes << 18),), "fp32", "random", 0.0, 2.0 * (mebibytes << 20), sets)


def ladder(small):
    """What model-power needs apart: SM busy, FLOP by unit, bytes of L2 and of memory, idle; data of less toggling."""
    n = 256 if small else 8192
    # blocks of 128 threads, enough for many full loads of the SMs; eight FMAs at a time in each thread
    chain = {"elements": (4096 if small else 1 << 20) * 4, "block": 128}
    fma = {"elements": (4096 if small else 1 << 20) * 8, "block": 1024}
    ops = [Op("idle", idle, precision="", data=""),
           Op("int-chain", register_chain, tuple({**chain, "rounds": 4000}.items()), "int32", sets=1),
           Op("fma-chain", register_chain, tuple({**fma, "rounds": 4000}.items()), "fp32",
              flop=2.0 * 4 * 4000 * fma["elements"], sets=1)]
    ops += [gemm_op("bf16", n, n, n, data=data) for data in ("random", "small", "integer", "zero")]
    ops += [gemm_op("bf16", n, n, k) for k in ((64, 256) if small else (64, 128, 256, 512, 1024, 2048))]
    ops += [gemm_op(p, n, n, n) for p in ("fp16", "tf32", "fp32")] + [gemm_op("fp16", n, n, n, data="zero")]
    ops += [gemm_op("fp32", n, n, n, data="zero")] if not small else []
    ops += [gemm_op("fp8", n, n, n)]
    ops += [copy_op("copy-hbm", 8 if small else 5120), copy_op("scale-hbm", 8 if small else 5120),
            copy_op("copy-l2", 1 if small else 8), copy_op("scale-l2", 1 if small else 8)]
    ops += [Op(f"alternate-{us // 1000}ms", alternate, (("M", n // 2), ("elements", 1 << (16 if small else 26)),
                                                        ("period_us", us)), "bf16", sets=1)
            for us in (1000, 10000, 100000, 1000000)]
    return ops


def sweep(small):
    """Operators by shape and precision."""
    s = 16 if small else 1
    ops = [gemm_op(p, max(m // s, 8), max(n // s, 8), max(k // s, 8), b)
           for p in ("bf16", "tf32", "fp32")
           for b, m, n, k in ((1, 512, 512, 512), (1, 2048, 2048, 2048), (1, 4096, 1024, 1024), (1, 8192, 4096, 1024),
                              (1, 8192, 32000, 2048), (1, 128, 4096, 4096), (384, 512, 512, 64), (384, 512, 64, 512))]
    ops += [conv_op(p, max(64 // s, 1), c, o, size // (4 if small else 1), k, stride, groups, layout)
            for p, layout in (("bf16", "nhwc"), ("bf16", "nchw"), ("tf32", "nchw"), ("fp32", "nchw"))
            for c, o, size, k, stride, groups in ((3, 64, 224, 7, 2, 1), (64, 64, 56, 3, 1, 1), (256, 512, 56, 1, 2, 1),
                                                  (512, 512, 14, 3, 1, 1), (192, 192, 56, 5, 1, 192))]
    for p in ("bf16", "fp32"):
        rows, columns = 65536 // (s * s), 1024
        ops += [row_op("add", add, p, rows, columns, 3),
                row_op("gelu", lambda x: lambda: F.gelu(x), p, rows, columns, 2),
                row_op("softmax", lambda x: lambda: x.softmax(-1), p, rows, columns, 2),
                row_op("layer-norm", layer_norm, p, rows, columns, 2),
                row_op("sum", lambda x: lambda: x.sum(-1), p, rows, columns, 1)]
    return ops


# ---------------------------------------------------------------------------------------------------------
# 6. What to run
# ---------------------------------------------------------------------------------------------------------

THESIS = {  # the six networks of the base model's suite: its batch, a second one, micro-batches
    "resnet50": (256, 64, 1), "vgg16": (256, 64, 1), "vit-b-16": (256, 64, 1), "distilbert-base": (128, 32, 1),
    "albert-base-v2": (128, 32, 1), "tinyllama-1.1b": (16, 4, 8)}
LARGE = {"bert-large": (32, 512), "gpt2-large": (8, 1024), "opt-1.3b": (8, 1024)}
OTHERS = {"resnet18": 256, "resnet101": 128, "efficientnet-b0": 256, "convnext-t": 128, "swin-t": 128, "unet": 16,
          "conv1d-m11": 256, "lstm-lm": 256}


def optimizer_of(model):
    """Convolution networks of the older kind are trained with momentum, all others with AdamW."""
    old = model.startswith(("resnet", "vgg", "conv1d", "unet", "efficientnet"))
    return "sgd-momentum" if old else "adamw"


def train(model, batch, precision, seq=0, accum=1, **more):
    return Run(model, batch, seq, precision, "train", **{"optimizer": optimizer_of(model), "accum": accum, **more})


def infer(model, batch, precision, seq=0, **more):
    return Run(model, batch, seq, precision, "inference", **more)


def campaign_thesis():
    runs = [train(m, v[0], p, accum=v[2]) for p in ("bf16-amp", "tf32") for m, v in THESIS.items()]
    return runs + [train(m, v[1], p, accum=v[2]) for p in ("bf16-amp", "tf32") for m, v in THESIS.items()]


def campaign_large():
    runs = [train(m, b, "bf16", s) for m, (b, s) in LARGE.items()]
    runs += [train(m, b, "bf16", s, attention="flash") for m, (b, s) in LARGE.items()]
    runs += [train(m, b, "bf16-amp", s, impl="fused") for m, (b, s) in LARGE.items()]
    return runs + [train("bert-large", 4, "bf16", 512), train("gpt2-large", 2, "bf16", 512), train("opt-1.3b", 2, "bf16", 512)]


def campaign_fp32_and_inference():
    runs = [train(m, max(v[0] // 4, 4), "fp32") for m, v in THESIS.items()]
    runs += [infer(m, v[0], "bf16") for m, v in THESIS.items()] + [infer(m, v[1], "fp32") for m, v in THESIS.items()]
    runs += [infer(m, b, "bf16", s, attention="flash") for m, (b, s) in LARGE.items()]
    return runs + [train("resnet50", 256, "bf16-amp", layout="nhwc"), train("resnet50", 256, "bf16-amp", fusion="compiled")]


def campaign_others():
    runs = [train(m, b, "bf16-amp") for m, b in OTHERS.items()]
    runs += [train(m, b, "tf32") for m, b in OTHERS.items()]
    return runs + [infer(m, b, "bf16") for m, b in OTHERS.items()]


@dataclass(frozen=True)
class Piece:
    """A part of a campaign that fits one reservation of nine minutes."""
    about: str
    runs: object = None        # function -> [Run]
    ops: object = None         # function(small) -> [Op]
    window_s: float = 10.0     # of a run
    op_window_s: float = 5.0


CAMPAIGNS = {
    "h200-1": Piece("six networks in training, BF16-AMP and TF32, two batches", campaign_thesis, window_s=8),
    "h200-2": Piece("energy ladder", None, ladder, op_window_s=6),
    "h200-3": Piece("large transformers in training, BF16", campaign_large, window_s=7),
    "h200-4": Piece("six networks in FP32 and in inference", campaign_fp32_and_inference, window_s=5.5),
    "h200-5": Piece("other convolutional and recurrent networks", campaign_others, window_s=5.5),
    "h200-6": Piece("operator sweeps", None, sweep, op_window_s=2.5),
}


def shrunk(run):
    """The same configuration at a size for trying the collector out on a CPU."""
    tokens = ZOO[run.model].inputs.startswith("tokens")
    return replace(run, batch=2, seq=16 if tokens else 0, accum=min(run.accum, 2))


def plan_of(args):
    """(runs, ops), each once, in order."""
    if args.campaign:
        piece = CAMPAIGNS[args.campaign]
        runs, ops = piece.runs() if piece.runs else [], piece.ops(args.shrink) if piece.ops else []
    else:
        ops = (ladder(args.shrink) if args.ladder else []) + (sweep(args.shrink) if args.ops else [])
        grid = itertools.product(args.models, args.batch, args.seq, args.precision, args.mode, args.optimizer, args.impl,
                                 args.accum, args.fusion, args.attention, args.layout)
        runs = [Run(m, b, s, p, mode, o, i, a, f, at, lay) for m, b, s, p, mode, o, i, a, f, at, lay in grid]
    runs = [shrunk(r) for r in runs] if args.shrink else runs
    return list(dict.fromkeys(normal(r) for r in runs)), list(dict.fromkeys(ops))


def estimated_s(item, args):
    """Seconds a run or an operator will take: building and warming up, the window, compiling."""
    if isinstance(item, Op):
        return args.op_window_s + args.settle_s + 0.5 + (1.5 if item.name.startswith("alternate") else 0)
    return 1.5 + ZOO[item.model].parameters / 5e8 + args.warmup_s + args.window_s + (60 if item.fusion == "compiled" else 0)


# ---------------------------------------------------------------------------------------------------------
# 7. Files: raw.jsonl is the memory of what was done; trace.csv and ops.csv are its readable extract.
# ---------------------------------------------------------------------------------------------------------


def append_line(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def append_row(path, columns, row):
    new = not os.path.exists(path)
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)
        file.flush()
        os.fsync(file.fileno())


def done_before(path, retry):
    """Keys in raw.jsonl; with --retry those that failed are done again."""
    if not os.path.exists(path):
        return {}
    done = {}
    for line in open(path, encoding="utf-8"):
        with contextlib.suppress(json.JSONDecodeError):       # a line cut off by a kill
            record = json.loads(line)
            if record.get("kind") in ("run", "op", "failed"):
                done[record["key"]] = record
    return {k: r for k, r in done.items() if not (retry and r["kind"] == "failed")}


def session_record(device, args):
    record = {"kind": "session", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "collector": VERSION, "arguments": {k: v for k, v in vars(args).items() if k not in ("out", "graphs")},
              "torch": torch.__version__, "python": platform.python_version(), "system": platform.system(),
              "host": args.host, "cpu_threads": torch.get_num_threads(), "gpus": device.world, "gpu": args.gpu,
              "state": device.nvml.state() if device.nvml else {}, "nvml": "yes" if device.nvml else device.why_no_nvml}
    if device.cuda:
        p = device.properties
        record.update(name=p.name, sm_count=p.multi_processor_count, memory_B=p.total_memory, l2_B=p.L2_cache_size,
                      capability=[p.major, p.minor], cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version())
    for name in ("triton", "transformers", "torchvision"):
        with contextlib.suppress(Exception):
            record[name] = importlib.metadata.version(name)
    return record


def release(device):
    import gc
    gc.collect()
    if device.cuda:
        torch.cuda.empty_cache()
    if hasattr(torch, "_dynamo"):
        torch._dynamo.reset()


class Collector:
    """Does the plan: measures, writes, prints; stops between two items when the budget is used."""

    def __init__(self, device, args, start_s):
        self.device, self.args, self.start_s = device, args, start_s
        self.first = device.rank == 0
        os.makedirs(args.out, exist_ok=True)
        self.raw, self.trace, self.ops = (os.path.join(args.out, n) for n in ("raw.jsonl", "trace.csv", "ops.csv"))
        self.done = done_before(self.raw, args.retry)
        self.session = session_record(device, args)
        self.table = []
        if self.first:
            append_line(self.raw, json.dumps(self.session))

    def out_of_time(self, item):
        passed = time.perf_counter() - self.start_s
        left = self.args.budget_s - passed if self.args.budget_s else math.inf
        return bool(self.device.agree(int(left < estimated_s(item, self.args))))

    def say(self, text):
        if self.first:
            print(text, flush=True)

    def attempt(self, key, label, function):
        """A record, or None with the reason written down."""
        try:
            return function()
        except OOM:
            reason = "out of memory"
        except Exception as error:      # one bad configuration must not end a reservation
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        if self.first:
            append_line(self.raw, json.dumps({"kind": "failed", "key": key, "reason": reason}))
        self.say(f"{label}  skipped: {reason}")
        return None

    def run(self, run):
        record = self.attempt(run.key(self.device.world), run.label(), lambda: measure_run(run, self.device, self.args))
        if record and self.first:
            graph = graph_file(run.model, run.mode, self.args.zoo)
            append_line(self.raw, json.dumps({**record, "graph": graph}))
            append_row(self.trace, TRACE_COLUMNS, trace_row(record, graph, self.session, self.args))
            self.table.append((run.label(), record["step_time_s"], run.batch * run.accum * self.device.world
                               / record["step_time_s"], record["average_power_W"], "; ".join(record["remarks"])))
            self.say(table_line(*self.table[-1]))

    def operate(self, op):
        record = self.attempt(op.key(), op.key(), lambda: measure_op(op, self.device, self.args))
        if record and self.first:
            append_line(self.raw, json.dumps(record))
            append_row(self.ops, OPS_COLUMNS, op_row(record, self.session, self.args))
            rate = record["flop"] / record["time_s"] / 1e12
            self.table.append((op.key(), record["time_s"], None, record["average_power_W"],
                               f"{rate:.1f} TFLOP/s" if rate else f"{record['bytes'] / record['time_s'] / 1e9:.0f} GB/s"))
            self.say(table_line(*self.table[-1]))

    def all(self, runs, ops):
        self.say(TABLE_HEAD)
        for item in [*ops, *runs]:
            key = item.key() if isinstance(item, Op) else item.key(self.device.world)
            if key in self.done:
                continue
            if self.out_of_time(item):
                self.say(f"budget of {self.args.budget_s:g} s used; start again to go on")
                return
            (self.operate if isinstance(item, Op) else self.run)(item)
            release(self.device)


TABLE_HEAD = f"{'run':66}{'ms':>11}{'samples/s':>11}{'W':>8}{'J':>10}  remarks"


def table_line(label, step_s, rate, power_W, remarks):
    def cell(value, form, width):
        return f"{value:{form}}".rjust(width) if value is not None else "-".rjust(width)
    return (f"{label:66}" + cell(step_s * 1e3, ".3f", 11) + cell(rate, ".1f", 11) + cell(power_W, ".1f", 8)
            + cell(power_W * step_s if power_W is not None else None, ".4g", 10) + "  " + remarks)


def manifest(folder, root):
    """Records for data/MANIFEST of the files in a folder, from its raw.jsonl."""
    sessions = []
    raw = os.path.join(folder, "raw.jsonl")
    if os.path.exists(raw):
        records = (json.loads(line) for line in open(raw, encoding="utf-8") if line.strip())
        sessions = [r for r in records if r["kind"] == "session"]
    first = sessions[0] if sessions else {}
    state = first.get("state", {})
    device = ", ".join(f"{k} {v}" for k, v in (
        ("device", first.get("name", first.get("gpu"))), ("driver", state.get("driver")), ("CUDA", first.get("cuda")),
        ("cuDNN", first.get("cudnn")), ("torch", first.get("torch")), ("power limit W", state.get("power_limit_W")),
        ("host", first.get("host"))) if v)
    units = {"trace.csv": "columns carry their unit (_s, _W); schema of a trace CSV", "raw.jsonl": "keys carry their unit",
             "ops.csv": "columns carry their unit; time and energy per call"}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not os.path.isfile(path) or name.startswith("."):
            continue
        digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
        graph = name.endswith(".onnx")
        print(f"path: {os.path.relpath(path, root)}\nsha256: {digest}\n"
              f"origin: scripts/collect/collect_torch.py {VERSION}, " + ("graph export" if graph else f"measured; {device}")
              + f"\nlicence: the repository's (own {'export' if graph else 'measurement'})\n"
              f"date: {first.get('date', datetime.date.today().isoformat())[:10]}\n"
              f"units: {'none, graph structure' if graph else units.get(name, 'see README.md')}\n")


def arguments():
    def names(text):
        return [t for t in text.split(",") if t]

    def numbers(text):
        return [int(t) for t in names(text)]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = p.add_argument_group("what to measure (the grid is the product of the lists)")
    what.add_argument("--models", type=names, default=[], help="of: " + ", ".join(ZOO))
    what.add_argument("--batch", type=numbers, default=[32], help="samples per GPU and micro-batch")
    what.add_argument("--seq", type=numbers, default=[0], help="sequence length (default: the network's)")
    what.add_argument("--precision", type=names, default=["fp32"], help="of: " + ", ".join(PRECISIONS))
    what.add_argument("--mode", type=names, default=["train"], help="train, inference")
    what.add_argument("--optimizer", type=names, default=["adamw"], help="of: " + ", ".join(OPTIMIZERS))
    what.add_argument("--impl", type=names, default=["foreach"], help="of: " + ", ".join(IMPLEMENTATIONS))
    what.add_argument("--accum", type=numbers, default=[1], help="micro-batches per step")
    what.add_argument("--fusion", type=names, default=["eager"], help="eager, compiled")
    what.add_argument("--attention", type=names, default=["eager"], help="eager, flash")
    what.add_argument("--layout", type=names, default=["nchw"], help="nchw, nhwc")
    what.add_argument("--campaign", choices=CAMPAIGNS, help="; ".join(f"{k}: {v.about}" for k, v in CAMPAIGNS.items()))
    what.add_argument("--ladder", action="store_true", help="energy ladder: SM, FLOP by unit, bytes by level, idle")
    what.add_argument("--ops", action="store_true", help="operator sweeps")
    how = p.add_argument_group("how")
    how.add_argument("--out", default="traces", help="folder for trace.csv, ops.csv, raw.jsonl")
    how.add_argument("--graphs", help="folder of the ONNX graphs (default: --out); existing ones are kept")
    how.add_argument("--no-export", action="store_true", help="do not write graphs")
    how.add_argument("--export-only", action="store_true", help="write the graphs of the plan, measure nothing")
    how.add_argument("--device", choices=("cuda", "cpu"), default="cuda" if torch.cuda.is_available() else "cpu")
    how.add_argument("--window-s", type=float, help="timed window of a run (default 10, or the campaign's)")
    how.add_argument("--op-window-s", type=float, help="timed window of an operator (default 5, or the campaign's)")
    how.add_argument("--warmup-s", type=float, default=1.5, help="warm-up of a run, after three steps")
    how.add_argument("--settle-s", type=float, default=1.2, help="warm-up of an operator: the power sensor's ramp")
    how.add_argument("--budget-s", type=float, help="stop between two items when this would be passed")
    how.add_argument("--zoo", choices=("own", "library"), default="own", help="own networks, or torchvision's and transformers' where installed")
    how.add_argument("--loss", choices=("ce", "sum"), default="ce", help="cross entropy, or the sum of the outputs")
    how.add_argument("--no-cudnn-benchmark", dest="cudnn_benchmark", action="store_false")
    how.add_argument("--gpu", help="id of the GPU's hardware file (default: from its name)")
    how.add_argument("--host", default=host_name(), help="name of the measuring set-up (default: the CPU)")
    how.add_argument("--retry", action="store_true", help="repeat what failed before")
    how.add_argument("--shrink", action="store_true", help="tiny sizes, to try the collector out")
    also = p.add_argument_group("instead of measuring")
    also.add_argument("--plan", action="store_true", help="say what would run, with estimated seconds")
    also.add_argument("--check-zoo", action="store_true", help="compare the networks' parameters with the published numbers")
    also.add_argument("--manifest", action="store_true", help="print records for data/MANIFEST of the files in --out")
    args = p.parse_args()
    piece = CAMPAIGNS.get(args.campaign, Piece(""))
    args.window_s = args.window_s or piece.window_s
    args.op_window_s = args.op_window_s or piece.op_window_s
    args.graphs = args.graphs or args.out
    for given, known in ((args.models, ZOO), (args.precision, PRECISIONS), (args.optimizer, OPTIMIZERS),
                         (args.impl, IMPLEMENTATIONS), (args.mode, ("train", "inference")), (args.fusion, ("eager", "compiled")),
                         (args.attention, ("eager", "flash")), (args.layout, ("nchw", "nhwc"))):
        for name in given:
            if name not in known:
                p.error(f"{name}: not one of {', '.join(known)}")
    return args


def print_plan(runs, ops, args):
    total = 0.0
    done = done_before(os.path.join(args.out, "raw.jsonl"), args.retry)
    for item in [*ops, *runs]:
        key = item.key() if isinstance(item, Op) else item.key(int(os.environ.get("WORLD_SIZE", 1)))
        seconds = 0.0 if key in done else estimated_s(item, args)
        total += seconds
        print(f"{seconds:7.1f} s  {item.key() if isinstance(item, Op) else item.label()}{'  (done)' if key in done else ''}")
    print(f"{total:7.1f} s  in {len(runs)} runs and {len(ops)} operators")


def check_zoo():
    wrong = 0
    for name, net in ZOO.items():
        with unwritten_weights(), torch.device("meta"):
            found = sum(p.numel() for p in build(name, "eager").parameters())
        wrong += bool(net.parameters) and found != net.parameters
        print(f"{name:18}{found:>14,}  " + ("no published number" if not net.parameters else
                                            "as published" if found == net.parameters else f"published {net.parameters:,}"))
    return 1 if wrong else 0


def main():
    start_s = time.perf_counter()
    args = arguments()
    if args.check_zoo:
        return check_zoo()
    if args.manifest:
        manifest(args.out, os.getcwd())
        return 0
    runs, ops = plan_of(args)
    if args.plan:
        print_plan(runs, ops, args)
        return 0
    if not runs and not ops:
        print("nothing to do: give --models, --campaign, --ladder or --ops", file=sys.stderr)
        return 2
    if not args.no_export and int(os.environ.get("RANK", 0)) == 0:
        for model, mode in dict.fromkeys((r.model, r.mode) for r in runs):
            try:
                export_graph(model, mode, args.graphs, args.zoo)
            except Exception as error:     # the measurement is worth more than the graph, which can follow
                print(f"no graph of {model} ({mode}): {type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
    if args.export_only:
        return 0
    device = Device(args.device)
    args.gpu = args.gpu or device.gpu_id()
    collector = Collector(device, args, start_s)
    collector.all(runs, ops)
    if device.world > 1:
        torch.distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
