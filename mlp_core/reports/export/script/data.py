"""How an exported program comes to its images: read from four files, or fetched by torchvision. Reads nothing itself."""

from __future__ import annotations

from mlp_core.data.fashion_mnist import DEBIAN_FOLDER
from mlp_core.reports.export.script.sections import Recipe, Section

_FIND = '''def find_folder():
    """The folder of the four files: the one given, Debian's, or torchvision's."""
    fetched = Path("data/FashionMNIST/raw")
    if data_folder:
        return Path(data_folder)
    for folder in (Path("{debian}"), fetched):
        if (folder / "train-images-idx3-ubyte.gz").exists():
            return folder
    from torchvision.datasets import FashionMNIST

    FashionMNIST("data", download=True)
    return fetched


def read(name, header_bytes):
    """The unsigned bytes of one file behind its header."""
    data = gzip.decompress((folder / f"{{name}}.gz").read_bytes())
    return torch.frombuffer(bytearray(data[header_bytes:]), dtype=torch.uint8)


folder = find_folder()
train_images = read("train-images-idx3-ubyte", 16).reshape(-1, 784)
train_labels = read("train-labels-idx1-ubyte", 8).long()
test_images = read("t10k-images-idx3-ubyte", 16).reshape(-1, 784)
test_labels = read("t10k-labels-idx1-ubyte", 8).long()'''


def images(recipe: Recipe) -> Section:
    """Find, read and cut to size the images."""
    lines = [_FIND.format(debian=DEBIAN_FOLDER)]
    size = recipe.spec.train_size
    if size is not None:
        lines.append(f"train_images, train_labels = train_images[:{size}], train_labels[:{size}]")
    if recipe.elsewhere:
        lines.append("train_images, train_labels = train_images.to(device), train_labels.to(device)")
        lines.append("test_images, test_labels = test_images.to(device), test_labels.to(device)")
    lines.append('print(f"{len(train_labels):,} + {len(test_labels):,} images from {folder}")')
    return Section("The images", "Fashion-MNIST: 28 × 28 pixels from 0 to 255, ten kinds of clothes.", "\n".join(lines))
