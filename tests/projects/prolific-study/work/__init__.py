from otree.api import *

doc = 'The number typed is what is earned, in points.'


class C(BaseConstants):
    NAME_IN_URL = 'work'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    prolific_id = models.StringField(blank=True)
    units = models.IntegerField(label='How many did you count?', min=0, max=1000)


class Work(Page):
    form_model = 'player'
    form_fields = ['units']

    @staticmethod
    def before_next_page(player, timeout_happened):
        player.prolific_id = player.participant.label or ''
        player.payoff = player.units


page_sequence = [Work]
