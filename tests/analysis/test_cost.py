from pegbox.analysis.cost import cost_front


def test_front_holds_what_is_faster_or_better(make_history):
    history = make_history([0.5, 0.3, 0.4, 0.2], seconds=[1.0, 2.0, 3.0, 9.0])
    assert [point.trial for point in cost_front(history)] == [0, 1, 3]


def test_front_of_a_metric_made_large_ends_at_the_largest(make_history):
    history = make_history([0.5, 0.9, 0.7], goal="maximize", seconds=[1.0, 2.0, 3.0])
    assert [(point.trial, point.value) for point in cost_front(history)] == [(0, 0.5), (1, 0.9)]


def test_study_without_values_has_an_empty_front(make_history):
    assert cost_front(make_history([None, None])) == ()
