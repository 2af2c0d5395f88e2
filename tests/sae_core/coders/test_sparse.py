import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_core.coders.sparse import (
    Code,
    decoded,
    outer_sums,
    preactivations,
    row_products,
    weighted_rows,
)

shapes = st.tuples(
    st.integers(1, 9), st.integers(1, 6), st.integers(1, 12), st.integers(1, 7), st.integers(0, 999)
)
quick = settings(max_examples=40, deadline=None)


def drawn(shape):
    rows, slots, features, width, seed = shape
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, slots, generator=generator)
    indices = torch.randint(0, features, (rows, slots), generator=generator)
    table = torch.randn(features, width, generator=generator)
    x = torch.randn(rows, width, generator=generator)
    return values, indices, table, x


def dense(values, indices, features):
    return torch.zeros(len(values), features).scatter_add(1, indices, values)


@quick
@given(shapes)
def test_products_equal_dense_ones(shape):
    values, indices, table, x = drawn(shape)
    z = dense(values, indices, len(table))
    torch.testing.assert_close(
        weighted_rows(values, indices, table), z @ table, atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(
        row_products(x, indices, table), (x @ table.T).gather(1, indices), atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(
        outer_sums(values, indices, x, len(table)), z.T @ x, atol=1e-5, rtol=1e-5
    )


@quick
@given(shapes)
def test_gradients_of_decoding_equal_dense_ones(shape):
    values, indices, table, x = drawn(shape)
    ours = [values.clone().requires_grad_(), table.clone().requires_grad_()]
    theirs = [values.clone().requires_grad_(), table.clone().requires_grad_()]
    (decoded(Code(ours[0], indices), ours[1]) * x).sum().backward()
    ((dense(theirs[0], indices, len(table)) @ theirs[1]) * x).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-5, rtol=1e-5)


@quick
@given(shapes)
def test_gradients_of_encoding_equal_dense_ones(shape):
    values, indices, table, x = drawn(shape)
    bias = torch.linspace(-1, 1, len(table))
    ours = [t.clone().requires_grad_() for t in (x, table, bias)]
    theirs = [t.clone().requires_grad_() for t in (x, table, bias)]
    with torch.no_grad():
        found = (x @ table.T + bias).gather(1, indices)
    made = preactivations(*ours, found, indices)
    reference = (theirs[0] @ theirs[1].T + theirs[2]).gather(1, indices)
    torch.testing.assert_close(made, reference, atol=1e-5, rtol=1e-5)
    (made * values).sum().backward()
    (reference * values).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-5, rtol=1e-5)


def test_a_code_gives_single_features_back():
    code = Code(torch.tensor([[2.0, 0.0], [1.0, 3.0]]), torch.tensor([[4, 1], [1, 4]]))
    assert code.of(torch.tensor([1, 4, 0])).tolist() == [[0, 2, 0], [1, 3, 0]]
    assert code.dense(5).tolist() == [[0, 0, 0, 0, 2], [0, 1, 0, 0, 3]]


def test_products_sum_over_more_features_than_16_bits_can_number():
    features = (1 << 16) * 2 + 5
    generator = torch.Generator().manual_seed(0)
    indices = torch.randint(0, features, (40, 8), generator=generator)
    indices[:, 0] = features - 1
    values, x = torch.randn(40, 8, generator=generator), torch.randn(40, 2, generator=generator)
    made = outer_sums(values, indices, x, features)
    wanted = torch.zeros(features, 2).index_add(
        0, indices.reshape(-1), (values[..., None] * x[:, None]).reshape(-1, 2)
    )
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=1e-5)
