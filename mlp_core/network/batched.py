"""Several networks of one design as one: their parameters lie in common tensors, and one product serves them all.

S networks that learn from batches of n images work on tensors (S, units, n), a column an image: so the gradient of a weight comes out of
its product as the weight lies in memory, (S, n_out, n_in), and a sum over the batch runs along what is contiguous.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from mlp_core.losses import Loss
from mlp_core.network.network import Network
from mlp_core.spec import RunSpec

# PyTorch may hand larger products to oneDNN, which takes longer to prepare for one than to multiply matrices as small as these.
ONEDNN_FROM = 16**3  # mkldnn_gemm_min_size in ATen's Matmul.cpp


class Batched:
    """S networks that learn at once, each for itself: what one of them computes never reaches another, be it finite or not.

    Args:
        networks: of one design, all `Concise` or all `Scratch`, which those by hand are too. Their parameters become views of the
            common ones: they learn as these do.
        spec: the design; its seed does not matter.
        loss: what the outputs mean.
        generators: of the dropout masks, one a network.
    """

    def __init__(self, networks: Sequence[Network], spec: RunSpec, loss: Loss, generators: Sequence[Generator]) -> None:
        self.networks = tuple(networks)
        self._loss_of = loss.batched
        self._activation, self._fixed, self._hidden = networks[0].activation, spec.activation_parameter, len(spec.hidden)
        self._learned = self._activation.parameter is not None and self._activation.parameter.learnable
        self.set_dropout(spec.dropout)
        self._generators = generators
        transposed = spec.implementation != "concise"
        self._parameters = [_common(alike, transposed) for alike in zip(*(network.parameters() for network in networks), strict=True)]
        self._ones = torch.ones(len(networks), device=self._parameters[0].device)

    def set_dropout(self, dropout: Sequence[float]) -> None:
        """As of a `Network`."""
        self._dropout = dropout or (0.0,) * self._hidden

    def parameters(self) -> list[Tensor]:
        """The leaf tensors that are learned, ordered as in every network: weights (S, n_out, n_in), biases (S, n_out, 1), α (S, 1, 1)."""
        return self._parameters

    def loss(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """One forward pass with dropout, every network with a batch of its own, or the same for so many networks in a row.

        Args:
            x: (B, n, d), of which each is for S/B networks.
            labels: (B, n), or targets (B, n, out).

        Returns:
            The losses (S,), with their graph, and the logits (S, n, out), detached.
        """
        outputs = self._outputs(x, training=True)
        if len(labels) != len(self.networks):
            labels = labels.repeat_interleave(len(self.networks) // len(labels), dim=0)
        return self._loss_of(outputs, labels), outputs.detach().mT.contiguous()

    def backward(self, losses: Tensor) -> None:
        """Leave in the common parameters the gradient of every network's own loss."""
        losses.backward(self._ones)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def test(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The losses (S,) and logits (S, n, out) of all networks for the same inputs (n, d) and labels, without dropout or a graph."""
        outputs = self._outputs(x, training=False)
        return self._loss_of(outputs, labels.expand(len(self.networks), *labels.shape)), outputs.mT.contiguous()

    def release(self, index: int) -> None:
        """Give one network memory of its own: it stays as it is, whatever becomes of its part of the common parameters."""
        for parameter in self.networks[index].parameters():
            parameter.data = parameter.data.clone()

    def _outputs(self, x: Tensor, *, training: bool) -> Tensor:
        H, parameters = x.mT, iter(self._parameters)
        for index in range(self._hidden):
            Z = _affine(next(parameters), next(parameters), H)
            H = self._activation(Z, next(parameters) if self._learned else self._fixed)
            if training and self._dropout[index] > 0:
                H = self._dropped(H, self._dropout[index])
        return _affine(next(parameters), next(parameters), H)

    def _dropped(self, H: Tensor, p: float) -> Tensor:
        """As `mlp_core.network.concise.Dropout`: every network draws masks (n, units) for itself, image by image."""
        if p == 1.0:
            return H * 0.0
        _, units, n = H.shape
        drawn = [torch.rand(n, units, generator=generator, device=H.device) for generator in self._generators]
        return H * (torch.stack(drawn) >= p).mT * (1.0 / (1.0 - p))


def _affine(W: Tensor, b: Tensor, H: Tensor) -> Tensor:
    """W H + b for W (S, n_out, n_in), b (S, n_out, 1) and H (B, n_in, n), of which each is for S/B networks, or (n_in, n) for all."""
    networks, n_out, n_in = W.shape
    if H.ndim == 2:
        return torch.add((W.flatten(0, 1) @ H).view(networks, n_out, -1), b)  # the rows of all W are those of one matrix
    if len(H) != networks:
        return torch.add(torch.bmm(W.view(len(H), -1, n_in), H).view(networks, n_out, -1), b)
    multiplications = n_out * n_in * H.shape[2]
    if multiplications <= ONEDNN_FROM < networks * multiplications:
        return torch.add((W[:, :, :, None] * H[:, None]).sum(dim=2), b)
    return torch.baddbmm(b, W, H)


def _common(alike: Sequence[Tensor], transposed: bool) -> Tensor:
    """One leaf tensor of what S networks have alike, (S, n_out, n_in), (S, n_out, 1) or (S, 1, 1); theirs become views of it.

    Args:
        transposed: whether the networks keep their weights as (n_in, n_out).
    """
    turned = transposed and alike[0].ndim == 2
    rows = [parameter.detach().T if turned else parameter.detach() for parameter in alike]
    common = torch.stack([row.reshape(*row.shape, *(1,) * (2 - row.ndim)) for row in rows])
    for parameter, row, own in zip(alike, rows, common, strict=True):
        view = own.view(row.shape)
        parameter.data = view.T if turned else view
    return common.requires_grad_()
