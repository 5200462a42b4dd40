"""Depthwise convolutions whose backward pass is quick on a CPU in bfloat16.

oneDNN's backward pass is slow for bfloat16 depthwise convolutions with a 5x5 kernel or a stride of 2, and
takes most of an EfficientNet's training time. Both gradients can be had from the cases it is quick at, stride
1 and 3x3 kernels, with the same result; `make bench` shows by how much. Inference, export and GPUs use the
plain convolution.
"""

from typing import Any, TypeGuard

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["DepthwiseConv2d", "replace_depthwise"]

_BACKWARD = torch.ops.aten.convolution_backward


def _input_gradient(grad: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    """Gradient for the padded input `x` (B, C, H, W): a stride-1 gradient of the zero-stuffed `grad`."""
    if stride > 1:
        size = [(n - 1) * stride + 1 for n in grad.shape[2:]]
        stuffed = grad.new_zeros(*grad.shape[:2], *size).contiguous(memory_format=torch.channels_last)
        stuffed[:, :, ::stride, ::stride] = grad
        grad = stuffed
    k = weight.shape[-1]
    seen = x[:, :, : grad.shape[2] + k - 1, : grad.shape[3] + k - 1]
    result = _BACKWARD(
        grad, seen, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], x.shape[1], [True, False, False]
    )[0]
    rest = [0, x.shape[3] - seen.shape[3], 0, x.shape[2] - seen.shape[2]]
    return F.pad(result, rest) if any(rest) else result


def _weight_gradient(grad: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    """Gradient with respect to `weight` (C, 1, k, k), put together from 3x3 windows of taps."""
    k, channels = weight.shape[-1], x.shape[1]
    result = torch.empty_like(weight, dtype=torch.float32)
    height, width = ((n - 1) * stride + 3 for n in grad.shape[2:])
    window = weight[:, :, :3, :3].contiguous()
    for top in sorted({*range(0, k - 2, 3), k - 3}):
        for left in sorted({*range(0, k - 2, 3), k - 3}):
            part = x[:, :, top : top + height, left : left + width].contiguous(
                memory_format=torch.channels_last
            )
            mask = [False, True, False]
            taps = _BACKWARD(
                grad, part, window, None, [stride] * 2, [0, 0], [1, 1], False, [0, 0], channels, mask
            )[1]
            result[:, :, top : top + 3, left : left + 3] = taps.float()
    return result.to(weight.dtype)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return F.conv2d(x, weight, stride=stride, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        return (
            _input_gradient(grad, x, weight, ctx.stride),
            _weight_gradient(grad, x, weight, ctx.stride),
            None,
        )


class DepthwiseConv2d(nn.Module):
    """A depthwise convolution (B, C, H, W) -> (B, C, H', W') with the weight and padding of `conv`."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        if not is_replaceable(conv):
            raise ValueError(
                f"{conv} cannot be replaced: it takes a depthwise convolution with a square kernel of 3 or "
                "more, no bias and no dilation."
            )
        self.weight, self.stride = conv.weight, conv.stride[0]
        self.register_parameter("bias", None)  # until a batch normalisation is folded into it
        same = getattr(conv, "static_padding", None)  # efficientnet-pytorch pads in a module of its own
        both = (conv.padding[1],) * 2 + (conv.padding[0],) * 2
        pad = same.padding if isinstance(same, nn.ZeroPad2d) else both
        self.pad = tuple(int(n) for n in pad)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, self.pad)
        if not (self.training and x.device.type == "cpu" and torch.is_autocast_enabled("cpu")):
            return F.conv2d(x, self.weight, self.bias, stride=self.stride, groups=x.shape[1])
        dtype = torch.get_autocast_dtype("cpu")
        x = _Depthwise.apply(x.to(dtype), self.weight.to(dtype), self.stride)
        return x if self.bias is None else x + self.bias.to(dtype).view(-1, 1, 1)


def is_replaceable(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether `module` is a depthwise convolution that DepthwiseConv2d can stand in for."""
    return (
        isinstance(module, nn.Conv2d)
        and module.groups == module.in_channels == module.out_channels > 1
        and module.bias is None
        and module.kernel_size[0] == module.kernel_size[1] >= 3
        and tuple(module.dilation) == (1, 1)
        and module.stride[0] == module.stride[1]
    )


def replace_depthwise(model: nn.Module) -> nn.Module:
    """Put a `DepthwiseConv2d` in the place of every depthwise convolution of `model`, in place; names of
    weights stay.
    """
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if is_replaceable(child):
                setattr(parent, name, DepthwiseConv2d(child))
    return model
