"""The linear models as arrays score as scikit-learn's own do."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from smarttriage.adapters.classifiers.feature_fitting import Matrix
from smarttriage.adapters.classifiers.recipes import LARGE, SMALL, Learner, Recipe, design, fit_linear, linear_head, recipes_for


def matrix(n_rows: int) -> Matrix:
    random = np.random.default_rng(0)
    word, char = (sp.random(n_rows, width, 0.2, "csr", np.float32, random_state=1) for width in (60, 40))
    embedding, extra = (random.normal(size=(n_rows, width)).astype(np.float32) for width in (8, 2))
    return Matrix(word, char, embedding, extra)


def truth(n_rows: int, n_labels: int) -> np.ndarray:
    return np.arange(n_rows) % n_labels


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("n_rows", [50, 300])
def test_logistic_regression_in_the_span_of_the_rows_is_logistic_regression(n_rows: int, n_labels: int) -> None:
    recipe = Recipe(Learner.LOGISTIC, c=2.0, balance=0.0, char=True, embedding=0.5)
    rows, labels = design(matrix(n_rows), recipe), truth(n_rows, n_labels)
    weights, biases = fit_linear(rows, labels, n_labels, recipe, seed=0)
    scores = rows @ weights + biases
    exact = LogisticRegression(C=2.0, max_iter=5_000, tol=1e-8).fit(rows, labels).decision_function(rows)
    found = (scores[:, 1] - scores[:, 0]) / 2 if n_labels == 2 else scores - scores.mean(axis=1, keepdims=True)
    # Both stop when the gradient is small, so they agree to a few hundredths of scores that span about ten.
    np.testing.assert_allclose(found, exact, atol=0.2)
    assert np.corrcoef(np.ravel(found), np.ravel(exact))[0, 1] > 0.999


@pytest.mark.parametrize("recipe", [LARGE, *SMALL])
def test_the_blocks_of_a_head_add_up_to_the_scores_of_the_fit(recipe: Recipe) -> None:
    features = matrix(50)
    rows = design(features, recipe)
    weights, biases = fit_linear(rows, truth(50, 3), 3, recipe, seed=0)
    head = linear_head(weights, biases, features, recipe)
    dense = np.hstack([features.embedding, features.extra])
    scores = features.word @ head.word + features.char @ head.char + dense @ head.dense + head.bias
    np.testing.assert_allclose(scores, rows @ weights + biases, atol=1e-4)


def test_a_label_without_a_row_never_wins() -> None:
    features = matrix(50)
    rows = design(features, SMALL[0])
    weights, biases = fit_linear(rows, truth(50, 2), 3, SMALL[0], seed=0)
    assert set((rows @ weights + biases).argmax(axis=1)) <= {0, 1}


def test_networks_come_with_many_rows_only() -> None:
    assert all(recipe.n_networks == 0 for recipe in recipes_for(9_999))
    assert [recipe.n_networks for recipe in recipes_for(10_000)] == [2]


def test_a_kept_recipe_is_not_chosen_again_and_one_that_is_out_of_place_is_ignored() -> None:
    assert list(recipes_for(500, kept=str(SMALL[3]))) == [SMALL[3]]
    assert list(recipes_for(500, kept="no recipe")) == list(SMALL)
    assert list(recipes_for(10_000, kept=str(SMALL[3]))) == [LARGE]


def test_recipes_read_as_words_and_no_two_alike() -> None:
    recipes = [LARGE, *SMALL]
    assert len({str(recipe) for recipe in recipes}) == len(set(recipes))
    assert str(Recipe(Learner.SVM, c=0.2, balance=1.0, char=True, embedding=0.5, n_networks=2)) == (
        "linear SVM on words + characters + 0.5 x embedding, C 0.2, label weights ^1.0, with 2 networks"
    )
