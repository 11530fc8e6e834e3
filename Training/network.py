"""Cosmos: the denoising network. `Sources/ChoirModels/Cosmos` emits the same graph; keep the two equal.

Translation-equivariant by construction: every operation is a convolution, a per-cell operation, or attention over an
unordered set of summary tokens. Nothing is normalised over space, so tiles cannot drift in tone.

Layout is NCHW. A *cell* here is 16 x 16 pixels, the coarsest level of the network.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

UNSHUFFLE = 4          # pixels per side that the first level folds into channels
CELL = 16              # pixels per side of the coarsest level
COARSE = 4             # tiles see the picture of the coarser scale with a quarter of their side
PICTURE_MEAN = -0.75   # of the training pictures in [-1, 1]: mostly black sky
PICTURE_DEVIATION = 0.35
DETAIL_DEVIATION = 0.14    # of what a picture has and its coarser scale, enlarged, has not
# The layers that say how a tile is painted from what all tiles have in common: of every canvas, and what they add to it for
# one that is composed at full size, where no coarser picture tells what its parts share.
STYLING = ("style", "styling0", "styling1", "styling2")
COMPOSED_STYLING = tuple(f"composed_{name}" for name in STYLING)
STYLE_PATH = ("mean", *STYLING, *COMPOSED_STYLING)


def expectation(coarse):
    """What is known of a picture before its noisy version is seen: the coarser scale enlarged, or the mean of all.

    coarse [B, 4, H/4, W/4]; returns the expected picture [B, 3, H, W] and the deviation from it, [B, 1, 1, 1].
    """
    given = coarse[:, 3:, :1, :1]
    enlarged = F.interpolate(coarse[:, :3], scale_factor=COARSE, mode="bilinear", align_corners=False)
    return PICTURE_MEAN + given * (enlarged - PICTURE_MEAN), PICTURE_DEVIATION + given * (DETAIL_DEVIATION - PICTURE_DEVIATION)


def coefficients(t, deviation):
    """Scales around the network for x_t = (1 - t) x + t n and pictures x that deviate so much from their expectation m:
    the network sees unit variance, and predicts how the clean picture deviates from its expectation.

    Returns c_in, c_out; with r = x_t - (1 - t) m, clean = m + c_out F(c_in r). No noise passes by the network: most of
    the sky is black, which is easy to say, and hard to reach by taking noise away from noise.
    """
    return ((1 - t) ** 2 * deviation**2 + t**2).rsqrt(), deviation


def root_mean_square_normalised(x):
    """Per cell, over channels."""
    return x * torch.rsqrt(x.pow(2).mean(1, keepdim=True) + 1e-4)


class Block(nn.Module):
    """Residual block of two 3 x 3 convolutions, scaled and shifted by the conditioning."""

    def __init__(self, channels):
        super().__init__()
        self.convolution1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.convolution2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.full((1, channels, 1, 1), 0.3))

    def forward(self, x, scale, shift):
        h = root_mean_square_normalised(x) * (1 + scale) + shift
        h = self.convolution2(F.silu(self.convolution1(F.silu(h))))
        return x + self.gain * h


class CrossSpatialAttention(nn.Module):
    """Every cell of a tile attends to the summary tokens that all tiles published; a tile alone, to its own.

    All tiles read the same tokens, so where two overlap they see the same.
    """

    def __init__(self, channels, heads=4):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels, bias=False)
        self.key_value = nn.Linear(channels, 2 * channels, bias=False)
        self.output = nn.Linear(channels, channels)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x, tokens, bias):
        """x [B, C, h, w]; tokens [B, K, C]; bias [B, K], added to the logits: 0, or very negative for absent tokens."""
        batch, channels, height, width = x.shape
        split = lambda y: y.view(batch, -1, self.heads, channels // self.heads).transpose(1, 2)
        query = split(self.query(root_mean_square_normalised(x).flatten(2).transpose(1, 2)))
        key, value = (split(y) for y in self.key_value(tokens).chunk(2, -1))
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias[:, None, None, :].to(query.dtype))
        attended = self.output(attended.transpose(1, 2).reshape(batch, height * width, channels))
        return x + attended.transpose(1, 2).reshape(batch, channels, height, width)


class Network(nn.Module):
    def __init__(self, widths=(64, 128, 256), blocks=(1, 2, 3), embedding=256, text=64, fine=8, scales=3):
        super().__init__()
        self.widths, self.blocks = widths, blocks
        top, middle, bottom = widths
        self.input = nn.Conv2d(3 * UNSHUFFLE**2 + 4, top, 3, padding=1)
        self.time = nn.Sequential(nn.Linear(64, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.scale = nn.Linear(scales, embedding, bias=False)
        self.text = nn.Linear(text, embedding)

        stack = lambda channels, count: nn.ModuleList(Block(channels) for _ in range(count))
        self.down0, self.down1, self.down2 = (stack(c, n) for c, n in zip(widths, blocks))
        self.middle = stack(bottom, blocks[2])
        self.up1, self.up0 = stack(middle, blocks[1]), stack(top, blocks[0])
        self.fold0, self.fold1 = nn.Conv2d(top * 4, middle, 1), nn.Conv2d(middle * 4, bottom, 1)
        self.unfold1, self.unfold0 = nn.Conv2d(bottom, middle * 4, 1), nn.Conv2d(middle, top * 4, 1)
        self.join1, self.join0 = nn.Conv2d(middle * 2, middle, 1), nn.Conv2d(top * 2, top, 1)
        self.attention = nn.ModuleList(CrossSpatialAttention(bottom) for _ in range(2))
        self.mean = nn.Linear(3, bottom)

        # One linear map for each level makes the scale and shift of all of its blocks. The finest level is told the
        # noise level and scale only: what the text says reaches it from below, without the edges of cells.
        self.modulation0 = nn.Linear(embedding, 2 * top * 2 * blocks[0])
        self.modulation1 = nn.Linear(embedding, 2 * middle * 2 * blocks[1])
        self.modulation2 = nn.Linear(embedding, 2 * bottom * 2 * blocks[2])
        # What all tiles have in common, the mean of their tokens, adds to it on the way up.
        for style, *stylings in (STYLING, COMPOSED_STYLING):
            self.add_module(style, nn.Linear(bottom, embedding))
            for name, width, count in zip(stylings, widths, blocks):
                self.add_module(name, nn.Linear(embedding, 2 * width * count))
        for name in ("modulation0", "modulation1", "modulation2", *STYLING[1:], *COMPOSED_STYLING[1:]):
            nn.init.zeros_(getattr(self, name).weight)
            nn.init.zeros_(getattr(self, name).bias)

        # Two small convolutions at full size join the 4 x 4 folds, which would otherwise show as a faint grid.
        self.output = nn.Conv2d(top, fine * UNSHUFFLE**2, 3, padding=1)
        self.refine1 = nn.Conv2d(fine + 3, fine + 4, 3, padding=1)
        self.refine2 = nn.Conv2d(fine + 4, 3, 3, padding=1)
        nn.init.zeros_(self.refine2.weight)
        nn.init.zeros_(self.refine2.bias)
        frequencies = torch.exp(torch.linspace(0, math.log(1000), 32))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def encode(self, x, coarse, t, scale, text):
        """The way down: the features at one value per cell, the skips, the modulation of the way up, the moment, and whether
        this is composed at full size: 1, else 0."""
        angles = t[:, None] * self.frequencies[None]
        moment = self.time(torch.cat([angles.sin(), angles.cos()], 1)) + self.scale(scale)
        everywhere = F.silu(moment)
        cells = F.silu(self.text(text.permute(0, 2, 3, 1)) + moment[:, None, None, :])
        modulation0 = self.modulation0(everywhere)[:, :, None, None].chunk(4 * self.blocks[0], 1)
        modulation1 = self.modulation1(cells).permute(0, 3, 1, 2)
        if modulation1.shape[-1] > 1:
            modulation1 = F.interpolate(modulation1, scale_factor=2, mode="bilinear", align_corners=False)
        modulation1 = modulation1.chunk(4 * self.blocks[1], 1)
        modulation2 = self.modulation2(cells).permute(0, 3, 1, 2).chunk(4 * self.blocks[2], 1)
        modulation = [list(zip(m[0::2], m[1::2])) for m in (modulation0, modulation1, modulation2)]
        down, up = [m[:len(m) // 2] for m in modulation], [m[len(m) // 2:] for m in modulation]

        h = self.input(torch.cat([F.pixel_unshuffle(x, UNSHUFFLE), coarse], 1))
        for block, m in zip(self.down0, down[0]):
            h = block(h, *m)
        skip0 = h
        h = self.fold0(F.pixel_unshuffle(h, 2))
        for block, m in zip(self.down1, down[1]):
            h = block(h, *m)
        skip1 = h
        h = self.fold1(F.pixel_unshuffle(h, 2))
        for block, m in zip(self.down2, down[2]):
            h = block(h, *m)
        return h, skip0, skip1, up, moment, scale[:, 0] * (1 - coarse[:, 3, 0, 0])

    def summary(self, x, features, pool):
        """What a tile publishes: one token for each `pool` x `pool` cells, [B, K, C].

        Close to pure noise only the mean of many pixels tells the colour of a picture, and features hardly carry it.
        Tokens have it from the network's input x itself, so strong that one cell of pure noise deviates by 4, and bounded,
        since pictures deviate by more.
        """
        mean = (4 * CELL * F.avg_pool2d(x, CELL * pool)).clamp(-4, 4).flatten(2).transpose(1, 2)
        return F.avg_pool2d(root_mean_square_normalised(features), pool).flatten(2).transpose(1, 2) + self.mean(mean)

    def styled(self, modulation, moment, composed, tokens, bias):
        """The modulation of the way up with what all tokens together say."""
        mean = (bias.softmax(1)[:, None] @ tokens)[:, 0]

        def stylings(path):
            style, *layers = (getattr(self, name) for name in path)
            hidden = F.silu(style(mean) + moment)
            return [layer(hidden) for layer in layers]

        styles = [(always + composed[:, None] * added)[:, :, None, None].chunk(2 * count, 1)
                  for always, added, count in zip(stylings(STYLING), stylings(COMPOSED_STYLING), self.blocks)]
        return [[(scale + more, shift + moved) for (scale, shift), more, moved in zip(own, common[0::2], common[1::2])]
                for own, common in zip(modulation, styles)]

    def decode(self, x, features, tokens, bias):
        """The way up, from what `encode` gave and all tokens to the network's output F, [B, 3, H, W]."""
        h, skip0, skip1, modulation, moment, composed = features
        modulation = self.styled(modulation, moment, composed, tokens, bias)
        for index, (block, m) in enumerate(zip(self.middle, modulation[2])):
            if index in (0, self.blocks[2] - 1):
                h = self.attention[min(index, 1)](h, tokens, bias)
            h = block(h, *m)
        h = self.join1(torch.cat([F.pixel_shuffle(self.unfold1(h), 2), skip1], 1))
        for block, m in zip(self.up1, modulation[1]):
            h = block(h, *m)
        h = self.join0(torch.cat([F.pixel_shuffle(self.unfold0(h), 2), skip0], 1))
        for block, m in zip(self.up0, modulation[0]):
            h = block(h, *m)
        h = F.pixel_shuffle(self.output(F.silu(root_mean_square_normalised(h))), UNSHUFFLE)
        return self.refine2(F.silu(self.refine1(torch.cat([h, x], 1))))

    def forward(self, noisy, coarse, t, scale, text, published, bias, pool):
        """Clean picture from a noisy one, and what this tile publishes.

        noisy [B, 3, H, W] in about [-1, 1]; coarse [B, 4, H/4, W/4]: the picture of the coarser scale and a plane that
        is 1 where it is given; t [B] in (0, 1]; scale [B, 3] one-hot (full, quarter, eighth); text
        [B, 64, H/16, W/16] or [B, 64, 1, 1]; published [B, K, C]; bias [B, K].
        """
        expected, deviation = expectation(coarse)
        level = t[:, None, None, None]
        c_in, c_out = coefficients(level, deviation)
        rest = noisy - (1 - level) * expected
        x = rest * c_in
        features = self.encode(x, coarse, t, scale, text)
        own = self.summary(x, features[0], pool)
        tokens, bias = (published, bias) if published.shape[1] else (own, own.new_zeros(own.shape[:2]))
        out = self.decode(x, features, tokens, bias)
        # Nothing is darker than black or brighter than white; what the network says beyond is error.
        return (expected + c_out * out).clamp(-1, 1), own
