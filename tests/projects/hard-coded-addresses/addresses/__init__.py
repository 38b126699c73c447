import mimetypes

from otree.api import *

doc = """
Addresses as experiments write them who never thought of a path: each pattern shows on the page whether it worked.
Patterns in `_static/patterns.js` are seen by nobody but the browser; those in the templates also by oTree.
"""

mimetypes.add_type('text/event-stream', '.sse')


class C(BaseConstants):
    NAME_IN_URL = 'addresses'
    PLAYERS_PER_GROUP = 2
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


class Player(BasePlayer):
    said = models.StringField(initial='')


def live_say(player: Player, data):
    player.said = str(data)[:100]
    return {0: dict(by=player.id_in_group, text=player.said)}


class Meet(WaitPage):
    title_text = 'Looking for the other one'


class Talk(Page):
    live_method = live_say


class Patterns(Page):
    @staticmethod
    def js_vars(player: Player):
        return dict(picture='/static/dot.png')


class Away(Page):
    pass


class Done(Page):
    @staticmethod
    def vars_for_template(player: Player):
        return dict(amount=cu(12))


page_sequence = [Meet, Talk, Patterns, Away, Done]
