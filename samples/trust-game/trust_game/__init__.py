from otree.api import *

doc = """
The trust game. The sender has ten points and may send some to the receiver. What is sent triples on its way.
The receiver may send some of it back.
"""


class C(BaseConstants):
    NAME_IN_URL = 'trust'
    PLAYERS_PER_GROUP = 2
    NUM_ROUNDS = 1
    SENDER_ROLE = 'Sender'
    RECEIVER_ROLE = 'Receiver'
    ENDOWMENT = cu(10)
    FACTOR = 3


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    sent = models.CurrencyField(min=0, max=C.ENDOWMENT, label='How many points do you send?')
    returned = models.CurrencyField(min=0, label='How many points do you send back?')


class Player(BasePlayer):
    pass


def returned_max(group: Group):
    return group.sent * C.FACTOR


def set_payoffs(group: Group):
    sender = group.get_player_by_role(C.SENDER_ROLE)
    receiver = group.get_player_by_role(C.RECEIVER_ROLE)
    sender.payoff = C.ENDOWMENT - group.sent + group.returned
    receiver.payoff = group.sent * C.FACTOR - group.returned


class Introduction(Page):
    pass


class Send(Page):
    form_model = 'group'
    form_fields = ['sent']

    @staticmethod
    def is_displayed(player: Player):
        return player.role == C.SENDER_ROLE


class WaitForSender(WaitPage):
    body_text = 'The sender is deciding.'


class SendBack(Page):
    form_model = 'group'
    form_fields = ['returned']

    @staticmethod
    def is_displayed(player: Player):
        return player.role == C.RECEIVER_ROLE

    @staticmethod
    def vars_for_template(player: Player):
        return dict(tripled=player.group.sent * C.FACTOR)


class WaitForReceiver(WaitPage):
    body_text = 'The receiver is deciding.'
    after_all_players_arrive = set_payoffs


class Results(Page):
    @staticmethod
    def vars_for_template(player: Player):
        return dict(tripled=player.group.sent * C.FACTOR)


page_sequence = [Introduction, Send, WaitForSender, SendBack, WaitForReceiver, Results]
