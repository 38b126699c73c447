from . import *


class PlayerBot(Bot):
    def play_round(self):
        # The page has no button: it sends people away by itself.
        yield Submission(Goodbye, check_html=False)
