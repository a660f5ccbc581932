"""The profile of a step, from events as ONNX Runtime writes them."""


def event(name: str, kind: str, microseconds: float, cat: str = "Node") -> dict:
    return {"cat": cat, "name": name, "dur": microseconds, "args": {"op_name": kind}}


def test_an_operator_s_median_counts_and_operators_of_a_kind_add_up() -> None:
    from profile_step import by_operator

    events = [
        *(event("a_kernel_time", "Conv", each) for each in (5, 1, 3)),
        event("b_kernel_time", "Conv", 10),
        event("c_kernel_time", "Relu", 2),
        event("c_fence_before", "Relu", 99),
        event("whole", "", 99, cat="Session"),
    ]
    assert by_operator(events) == {"Conv": 13.0, "Relu": 2.0}
