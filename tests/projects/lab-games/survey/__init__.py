from otree.api import *

doc = 'One page of questions that moves on by itself.'


class C(BaseConstants):
    NAME_IN_URL = 'survey'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    age = models.IntegerField(min=16, max=120, label='How old are you?', initial=0)
    mood = models.StringField(
        choices=['good', 'middling', 'poor'], widget=widgets.RadioSelect, label='How are you?', initial=''
    )
    ran_out = models.BooleanField(initial=False)


class Questions(Page):
    form_model = 'player'
    form_fields = ['age', 'mood']

    @staticmethod
    def get_timeout_seconds(player: Player):
        return player.session.config['seconds']

    @staticmethod
    def before_next_page(player: Player, timeout_happened):
        player.ran_out = timeout_happened


class Thanks(Page):
    pass


page_sequence = [Questions, Thanks]
