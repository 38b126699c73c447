from otree.api import *

doc = 'One decision, and a code.'


class C(BaseConstants):
    NAME_IN_URL = 'decide'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    kept = models.CurrencyField(min=0, max=1, label='How much of a dollar do you keep?')


class Decide(Page):
    form_model = 'player'
    form_fields = ['kept']

    @staticmethod
    def before_next_page(player, timeout_happened):
        player.payoff = player.kept


class Done(Page):
    pass


page_sequence = [Decide, Done]
