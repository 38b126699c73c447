from otree.api import *

from . import *


class PlayerBot(Bot):
    cases = ['trusting', 'careful']

    def play_round(self):
        sent, returned = (cu(10), cu(15)) if self.case == 'trusting' else (cu(0), cu(0))
        yield Introduction
        if self.player.role == C.SENDER_ROLE:
            yield SubmissionMustFail(Send, dict(sent=cu(11)))
            yield Send, dict(sent=sent)
        else:
            yield SubmissionMustFail(SendBack, dict(returned=sent * C.FACTOR + 1))
            yield SendBack, dict(returned=returned)
        yield Submission(Results, check_html=False)
        expect(sum(player.payoff for player in self.group.get_players()), C.ENDOWMENT + sent * (C.FACTOR - 1))
