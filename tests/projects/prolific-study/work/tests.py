from . import *


class PlayerBot(Bot):
    def play_round(self):
        yield Work, dict(units=5)
        expect(self.player.payoff, 5)
