from otree.api import *

doc = 'Sends people back to where they came from.'


class C(BaseConstants):
    NAME_IN_URL = 'finish'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    pass


class Goodbye(Page):
    @staticmethod
    def js_vars(player):
        config = player.session.config
        if player.participant.consent:
            return dict(link=config['completionlink'])
        return dict(link=config.get('noconsentlink', config['completionlink']))


page_sequence = [Goodbye]
