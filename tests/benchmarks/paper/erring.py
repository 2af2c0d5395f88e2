"""Questions that a tiny random model answers alike, rightly and wrongly."""

from tests.sae_core.small_models import noise
from tests.tools.small_lab import small_lab
from tools.answers import AnswerSheet, answers
from tools.question_sets import Asked


class Wrongly:
    """One question about two pictures; what the model says to both is right for the one alone."""

    digest = "wrongly"

    def __init__(self, said="cat"):
        self.said = said

    def __len__(self):
        return 24

    def asked(self, number):
        return Asked(question="what is this", answer=self.said if number % 3 else "red")

    def picture(self, number):
        return noise(24, 24, 0 if number % 3 else 1)


def lab_that_errs(folder):
    """The small model with questions that it answers alike, rightly and wrongly."""
    asked = answers.parse({"numbers": [0, 1]})
    lab = small_lab(folder, questions={"validate": Wrongly()})
    sheet = answers.function(lab, asked).trials[0].sheet
    (said,) = {one.said for one in lab.artefacts.document(sheet, AnswerSheet).answers}
    return small_lab(folder, questions={"validate": Wrongly(said)})
