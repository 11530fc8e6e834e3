"""The forms of objects, learned apart from how they are painted: what a galaxy, a planetary nebula, a remnant look like as a
whole, in 32 x 32 pixels.

    python forms.py --data DIRECTORY --exported DIRECTORY [--steps 16000]
    python forms.py --data DIRECTORY --exported DIRECTORY --texts-only

Writes forms.safetensors into an exported folder, and names it in its config.json. Composed by the denoising network from
noise, galaxies are lumps: two cores show it far too few of them. So a small decoder learns a code for each picture together
with itself (Bojanowski et al. 2018, "Optimizing the Latent Space of Generative Networks", equation 2), told the text that the
network is told, which may name other colours than the picture's own. What composes is led by what the decoder says
(`sketch.py`), and the network paints on from there (as in Pandey et al. 2022, "DiffuseVAE"). The second line learns again
which texts ask for which kinds, and keeps the rest of a folder's forms.

forms.safetensors, f16:
    first, second, basis, picture     layers of the decoder, `.weight` [out, in] and `.bias` [out]
    codes [N, 24]                     of the pictures
    members [kinds, N]                1 where a picture is one of a kind, else 0
    chances.weight, chances.bias      a text's logits for each kind and for none of them, [kinds + 1, 64] and [kinds + 1]
"""
import argparse
import json
import pathlib

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import nn

import canvas
import captions
import sources
from export import half
from lookup import WordTable
from pictures import GAS, Pictures
from scales import EIGHTH

SIDE = 32               # of a form, in pixels
CODE, HIDDEN, BASIS = 24, 256, 96
BLUR = 0.12             # deviation of the noise on codes, so that what lies near a code is like its picture
BATCH, POOL = 256, 150  # pictures of a step; batches that are made beforehand
# The kinds that have a form, with what the prompt calls them, and of which kinds or forms their pictures are; how large they
# are on a canvas that is composed, in pixels of a form's square, of which an object takes four fifths; and how much of the
# canvas they cover.
KINDS = {
    "spiral": ({"armed"}, (15, 76), 0.5),
    "edge-on": ({"edge-on"}, (14, 80), 0.5),
    "galaxy": ({"spiral", "galaxy"}, (13, 68), 0.5),
    "planetary nebula": ({"planetary nebula"}, (15, 66), 0.45),
    "supernova remnant": ({"supernova remnant"}, (24, 84), 0.7),
    "galaxy cluster": ({"armed", "spiral", "edge-on", "galaxy"}, (8, 28), 0.35),
}
# The noise level at which the network takes over.
UNTIL = 0.1
# Pictures of several objects, or of one that is lost in its surroundings, by the first names of their files.
UNFIT = ("m77", "m98", "n92", "n404", "n918", "n1042", "n3190oleg", "n3314", "n3690h", "n3808", "n4038-9", "n4170", "n4216",
         "n4298", "n4567", "n4676", "n5216", "n5257h", "n5426", "n5566", "n6027", "n6769", "n7497", "n7742", "p2248", "u8335h",
         "u9618h", "wilds", "n6894", "n6905", "n6543", "n2736", "abell33", "calabash")
# Spirals whose arms are still seen in so few pixels.
ARMED = ("m61", "m74", "m83", "m99", "m100", "n300", "n613", "n772", "n1097", "n1232", "n1300", "n1398", "n1672", "n2997",
         "n3180", "n3486", "n4725", "n5248", "n6744", "n7793", "ic342")
SHARPER, AROUND = 0.7, 2    # how much forms deviate more from their surroundings, and those, in pixels: finer scales blur them
# Saturation of what is told to have a colour and is no galaxy, and how much such forms have that colour alone.
SATURATIONS, ALONE = (0.45, 0.7), 0.5
CLUSTERED = 0.12        # how often a galaxy is called a galaxy cluster


def kind_of(text):
    """What a picture is a form of, one of those that KINDS names, or None."""
    form = next((word for word in text["words"][0] if word in captions.FORMS), text["kind"])
    form = captions.told_by_eye(text, [("armed", ARMED)]) or form
    return form if any(form in members for members, *_ in KINDS.values()) else None


def centred(picture):
    """A picture [h, w, 3] in [0, 1] as a form, [SIDE, SIDE, 3]: its sky taken away, its middle in the middle, its longer axis
    lying, its size by its light, and faded towards a circle, so that no form has an edge."""
    light = picture.max(2)
    rim = np.concatenate([light[:3].ravel(), light[-3:].ravel(), light[:, :3].ravel(), light[:, -3:].ravel()])
    sky = np.percentile(rim, 60)
    light = (light - sky - 0.03).clip(min=0)
    y, x = np.mgrid[:light.shape[0], :light.shape[1]]
    longest = max(light.shape)
    at = np.array(ndimage.center_of_mass(ndimage.gaussian_filter(light, longest / 20) ** 2 + 1e-9))
    for _ in range(5):
        near = light * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * (0.28 * longest) ** 2)) + 1e-12
        at = np.array([(near * y).sum(), (near * x).sum()]) / near.sum()
    moment = lambda a, b: (near * a * b).sum() / near.sum()
    yy, xx, xy = moment(y - at[0], y - at[0]), moment(x - at[1], x - at[1]), moment(x - at[1], y - at[0])
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    scale = np.sqrt(np.linalg.eigvalsh([[xx, xy], [xy, yy]])[1]) / (0.2 * SIDE)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) * scale
    middle = np.full(2, (SIDE - 1) / 2)
    blur = max(0, (scale - 1) / 2)
    channels = [ndimage.affine_transform(ndimage.gaussian_filter((picture[..., channel] - sky).clip(min=0), blur), turn,
                                         at - turn @ middle, (SIDE, SIDE), order=1) for channel in range(3)]
    y, x = np.mgrid[:SIDE, :SIDE] - middle[0]
    fade = ((1 - np.hypot(y, x) / (SIDE / 2)) / 0.22).clip(0, 1)
    form = np.stack(channels, -1) * (fade * fade * (3 - 2 * fade))[..., None]
    form = (form + SHARPER * (form - ndimage.gaussian_filter(form, (AROUND, AROUND, 0)))).clip(min=0)
    # Faint remnants, too, shall be seen.
    return (form * np.clip(0.55 / (np.percentile(form.max(2), 97) + 1e-3), 1, 4)).clip(max=1).astype("f4")


def form_of(pictures, index):
    """The form of a picture, of the level of its pyramid that is large enough."""
    levels = pictures.pyramids[index]
    level = min(range(len(levels)), key=lambda level: abs(np.log(max(levels[level].shape[:2]) / (4 * SIDE))))
    return centred(pictures.at(EIGHTH, index, level) / np.float32(255))


class Decoder(nn.Module):
    """A form [B, 3, SIDE, SIDE] in [0, 1], before it is clipped, from a code and a text."""

    def __init__(self, text=64):
        super().__init__()
        self.first, self.second = nn.Linear(CODE + text, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.basis, self.picture = nn.Linear(HIDDEN, BASIS), nn.Linear(BASIS, 3 * SIDE * SIDE)

    def forward(self, codes, texts):
        hidden = F.silu(self.second(F.silu(self.first(torch.cat([codes, texts], 1)))))
        return self.picture(self.basis(hidden)).view(-1, 3, SIDE, SIDE)


def drawn(pictures, index, rng):
    """Words that a caption has of a picture, the order of the form's channels, and what they are multiplied by."""
    text = pictures.texts[index]
    saturations = sources.OF_GALAXIES if text["kind"] == "galaxy" else SATURATIONS
    order, tint = sources.recolouring(text["kind"] in (*GAS, "planetary nebula"), saturations, rng)
    words = sources.said(text["words"][order], order, tint, False, rng)
    channels = list(captions.ORDERS[order])
    if words[-1] in captions.HUES:
        # Nobody shall take it for another colour.
        low, high = captions.HUES[words[-1]]
        tint = words[-1], rng.uniform((3 * low + high) / 4, (low + 3 * high) / 4), rng.uniform(*saturations)
    gains = sources.gains(pictures.colours[index][channels], words[-1], tint, saturations, rng)
    if text["kind"] == "galaxy" and rng.random() < CLUSTERED:
        words = ["galaxy", "cluster", *(word for word in words if word in captions.COLOURS)]
    return words, channels, gains


def coloured(form, word):
    """A form [SIDE, SIDE, 3] whose light has less of other colours than its own, if the word tells one."""
    if word not in captions.COLOURS:
        return form
    own = np.ones(3) if word == "white" else captions.mean_colour(form)
    return form + ALONE * (form.max(2, keepdims=True) * (own / own.max()) - form)


def batches(pictures, forms, vectors, rng):
    """Which form, the form as it is shown [B, 3, SIDE, SIDE], and its text [B, 64]."""
    indices = list(forms)
    made = []
    for _ in range(POOL):
        chosen = rng.integers(0, len(indices), BATCH)
        shown, texts = [], []
        for which in chosen:
            words, channels, gains = drawn(pictures, indices[which], rng)
            form = (forms[indices[which]][..., channels] * gains).clip(0, 1)
            shown.append(coloured(form, words[-1]).transpose(2, 0, 1))
            texts.append(pictures.text_of(words) @ vectors)
        made.append((torch.from_numpy(chosen), torch.from_numpy(np.stack(shown).astype("f4")),
                     torch.from_numpy(np.stack(texts).astype("f4"))))
    return made


def error(made, wanted):
    """Of forms and of their slopes, which arms and rings are made of."""
    off = made - wanted
    slopes = off.diff(dim=2).abs().mean() + off.diff(dim=3).abs().mean()
    return off.abs().mean() + 4 * off.pow(2).mean() + slopes


def train(decoder, codes, drawn_batches, steps):
    """Decoder and codes, trained together."""
    optimiser = torch.optim.AdamW([{"params": decoder.parameters(), "weight_decay": 1e-4, "lr": 2e-3},
                                   {"params": [codes], "weight_decay": 0, "lr": 1e-2}])
    falling = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1, (step + 1) / 200) * 0.5 * (1 + np.cos(np.pi * step / steps)))
    for step in range(steps):
        chosen, shown, texts = drawn_batches[step % len(drawn_batches)]
        own = codes[chosen]
        loss = error(decoder(own + BLUR * torch.randn_like(own), texts), shown) + 1e-4 * codes.pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        falling.step()
        if step % 1000 == 0 or step == steps - 1:
            print(f"{step} {loss.item():.4f}", flush=True)


def named(text):
    """The kind that a picture's text asks for, or None: who says spiral hopes for arms, whatever the picture has."""
    kind = kind_of(text)
    return "spiral" if kind == "armed" else kind


def asked(pictures, rng):
    """Words as a prompt may have them, none for one that says nothing, and the kind that they ask for, or None."""
    chance = rng.random()
    if chance < 0.1:
        return [], None
    if chance < 0.25:
        return canvas.sky_words(np.exp(rng.uniform(*np.log(canvas.SKY_DENSITIES))), rng), None
    if chance < 0.35:
        return [str(rng.choice([*captions.COLOURS, *captions.ALWAYS]))], None
    index = int(rng.integers(len(pictures.texts)))
    words, kind = drawn(pictures, index, rng)[0], named(pictures.texts[index])
    kind = "galaxy cluster" if "cluster" in words and "galaxy" in words else kind
    if rng.random() < 0.2:
        # Several things in one place are none of them.
        other = int(rng.integers(len(pictures.texts)))
        kind = kind if kind == named(pictures.texts[other]) else None
        words = words + drawn(pictures, other, rng)[0]
    return words, kind


def chances(pictures, vectors, rng, count=20000, steps=1500):
    """What a text says of each kind and of none: the layer whose logits these are."""
    names, nothing = list(KINDS), vectors[-1]
    drawn_texts = [asked(pictures, rng) for _ in range(count)]
    texts = torch.from_numpy(np.stack([pictures.text_of(words) @ vectors if words else nothing for words, _ in drawn_texts]))
    targets = torch.tensor([names.index(kind) if kind else len(names) for _, kind in drawn_texts])
    layer = nn.Linear(texts.shape[1], len(names) + 1)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        (F.cross_entropy(layer(texts), targets) + 1e-4 * layer.weight.pow(2).mean()).backward()
        optimiser.step()
    right = layer(texts).argmax(1) == targets
    print(f"kinds named by texts: {right.float().mean():.3f}")
    return layer


def learned(pictures, vectors, rng, steps):
    """The tensors of a decoder of the pictures' forms."""
    forms = {index: form_of(pictures, index) for index, text in enumerate(pictures.texts)
             if kind_of(text) and not captions.told_by_eye(text, [("unfit", UNFIT)])}
    print(f"{len(forms)} forms")
    decoder, codes = Decoder(vectors.shape[1]), nn.Parameter(0.5 * torch.randn(len(forms), CODE))
    train(decoder, codes, batches(pictures, forms, vectors, rng), steps)
    kinds = [kind_of(pictures.texts[index]) for index in forms]
    members = torch.tensor([[float(kind in of) for kind in kinds] for of, *_ in KINDS.values()])
    return decoder.state_dict() | {"codes": codes.data, "members": members}


def described():
    """What config.json says of the forms."""
    return {"side": SIDE, "until": UNTIL,
            "kinds": [{"name": name, "least": least, "greatest": greatest, "filled": filled}
                      for name, (_, (least, greatest), filled) in KINDS.items()]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--exported", type=pathlib.Path, required=True)
    arguments.add_argument("--steps", type=int, default=16000)
    arguments.add_argument("--texts-only", action="store_true")
    options = arguments.parse_args()
    torch.manual_seed(0)
    rng, file = np.random.default_rng(0), options.exported / "forms.safetensors"
    pictures, table = Pictures(options.data), WordTable.load(options.exported)
    vectors = np.concatenate([table.trained(pictures.vocabulary), table.nothing[None]])
    layer = chances(pictures, vectors, rng)
    tensors = safetensors.torch.load_file(file) if options.texts_only else learned(pictures, vectors, rng, options.steps)
    tensors |= {"chances.weight": layer.weight.data, "chances.bias": layer.bias.data}
    file.write_bytes(safetensors.torch.save({name: half(name, tensor) for name, tensor in tensors.items()}))
    config = json.loads((options.exported / "config.json").read_text()) | {"forms": described()}
    (options.exported / "config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    main()
