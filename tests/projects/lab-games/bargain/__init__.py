from otree.api import *

doc = 'Two people divide 100 points. They talk in a chat and make offers live; who accepts, ends it.'


class C(BaseConstants):
    NAME_IN_URL = 'bargain'
    PLAYERS_PER_GROUP = 2
    NUM_ROUNDS = 2
    PIE = 100


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    share_of_first = models.IntegerField()
    is_agreed = models.BooleanField(initial=False)


class Player(BasePlayer):
    offer = models.IntegerField(min=0, max=C.PIE)


class Offer(ExtraModel):
    """Every offer, in the order of arrival: rows that only a custom export shows."""

    group = models.Link(Group)
    sender = models.Link(Player)
    share_of_first = models.IntegerField()


def creating_session(subsession: Subsession):
    if subsession.round_number > 1:
        subsession.group_randomly(fixed_id_in_group=True)


def live_bargain(player: Player, data):
    """`{type: offer, share}` or `{type: accept}`, of which everybody in the group hears; `{type: look}` asks for what was missed."""
    group = player.group
    if group.is_agreed:
        return {0: dict(type='agreed')}
    if data['type'] == 'offer':
        share = int(data['share'])
        if not 0 <= share <= C.PIE:
            return {player.id_in_group: dict(type='refused', message=f'Between 0 and {C.PIE}, please.')}
        player.offer = share
        Offer.create(group=group, sender=player, share_of_first=share)
        return {0: dict(type='offer', sender=player.id_in_group, share=share)}
    other = player.get_others_in_group()[0]
    offer = other.field_maybe_none('offer')
    if data['type'] == 'look':
        return {} if offer is None else {player.id_in_group: dict(type='offer', sender=other.id_in_group, share=offer)}
    if data['type'] == 'accept' and offer is not None:
        group.share_of_first = offer
        group.is_agreed = True
        return {0: dict(type='agreed')}
    return {player.id_in_group: dict(type='refused', message='There is nothing to accept yet.')}


def set_payoffs(group: Group):
    first, second = group.get_players()
    if group.is_agreed:
        first.payoff = group.share_of_first
        second.payoff = C.PIE - group.share_of_first
    for player in group.get_players():
        player.participant.agreed = group.is_agreed


class Pair(WaitPage):
    title_text = 'Looking for your partner'


class Bargain(Page):
    live_method = live_bargain
    timeout_seconds = 900

    @staticmethod
    def vars_for_template(player: Player):
        return dict(nickname=f'Player {player.id_in_group}')

    @staticmethod
    def js_vars(player: Player):
        return dict(me=player.id_in_group)


class Settle(WaitPage):
    after_all_players_arrive = set_payoffs


class Outcome(Page):
    pass


page_sequence = [Pair, Bargain, Settle, Outcome]


def custom_export(players):
    yield ['session', 'round', 'sender', 'share_of_first']
    for offer in Offer.filter():
        sender = offer.sender
        yield [sender.session.code, sender.round_number, sender.participant.code, offer.share_of_first]
