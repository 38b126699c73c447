from otree.api import *

from . import *


class PlayerBot(Bot):
    def play_round(self):
        # Called by hand: oTree 6.0's bots make the generator of `call_live_method` but never run it (bots/bot.py).
        if self.player.id_in_group == 2:
            bargain(self.group.get_player_by_id(1), self.player)
        yield Submission(Bargain, check_html=False)
        expect(self.group.is_agreed, True)
        yield Outcome
        expect(self.player.payoff, 40 if self.player.id_in_group == 1 else 60)


def bargain(first, second):
    expect(live_bargain(second, dict(type='accept'))[2]['type'], 'refused')
    expect(live_bargain(first, dict(type='offer', share=101))[1]['type'], 'refused')
    expect(live_bargain(first, dict(type='offer', share=40))[0]['share'], 40)
    expect(live_bargain(second, dict(type='accept'))[0]['type'], 'agreed')
