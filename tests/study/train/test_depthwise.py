"""The quick depthwise convolution gives what the plain one gives, forwards and backwards."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `study`")
from torch import nn

from blood_lib.study.train.depthwise import DepthwiseConv2d, is_replaceable, replace_depthwise


def _relative_error(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(((a.float() - b.float()).norm() / b.float().norm()).detach())


@pytest.mark.parametrize(
    ("kernel", "stride", "side"), [(3, 1, 9), (3, 2, 8), (5, 1, 8), (5, 2, 9), (7, 2, 12)]
)
def test_gradients_are_those_of_the_plain_convolution(kernel, stride, side):
    torch.manual_seed(0)
    plain = nn.Conv2d(16, 16, kernel, stride, kernel // 2, groups=16, bias=False)
    quick = DepthwiseConv2d(plain).train()
    x = torch.randn(4, 16, side, side, requires_grad=True)
    expected = plain(x)
    grad = torch.randn_like(expected)
    with torch.autocast("cpu", torch.bfloat16):
        got = quick(x)
    expected_grads = torch.autograd.grad(expected, (x, plain.weight), grad)
    got_grads = torch.autograd.grad(got, (x, quick.weight), grad.bfloat16())
    assert _relative_error(got, expected) < 0.01  # bfloat16 has 8 bits: rounding alone gives about 0.003
    for a, b in zip(got_grads, expected_grads, strict=True):
        assert a.shape == b.shape
        assert _relative_error(a, b) < 0.01


@pytest.mark.parametrize(
    ("options", "replaceable"),
    [
        ({"groups": 8}, True),
        ({"groups": 8, "stride": 2}, True),
        ({"groups": 4}, False),
        ({"groups": 8, "bias": True}, False),
        ({"groups": 8, "dilation": 2}, False),
        ({"groups": 8, "stride": (1, 2)}, False),
    ],
)
def test_a_depthwise_convolution_is_replaceable_where_the_quick_one_computes_the_same(options, replaceable):
    assert is_replaceable(nn.Conv2d(8, 8, 3, **{"bias": False} | options)) is replaceable


def test_only_depthwise_convolutions_are_replaced_and_weights_keep_their_names():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.Conv2d(8, 8, 3)
    )
    names, x = list(model.state_dict()), torch.randn(1, 3, 8, 8)
    before = model.eval()(x)
    replace_depthwise(model)
    assert [type(layer).__name__ for layer in model] == ["Conv2d", "DepthwiseConv2d", "Conv2d"]
    assert list(model.state_dict()) == names
    assert torch.equal(model.eval()(x), before)


def test_an_ordinary_convolution_is_refused():
    with pytest.raises(ValueError, match="cannot be replaced"):
        DepthwiseConv2d(nn.Conv2d(4, 8, 3))
