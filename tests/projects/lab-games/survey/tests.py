from otree.api import *

from . import *


class PlayerBot(Bot):
    cases = ['answers', 'timeout']

    def play_round(self):
        if self.case == 'timeout':
            yield Submission(Questions, dict(age=30, mood='good'), timeout_happened=True)
        else:
            yield SubmissionMustFail(Questions, dict(age=15, mood='good'))
            yield Questions, dict(age=30, mood='good')
        expect(self.player.ran_out, self.case == 'timeout')
        yield Submission(Thanks, check_html=False)
