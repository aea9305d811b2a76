/*
 * The membership log (docs/spec/groups.md sections 3 and 5) as a model for Alloy: which events stand, and who is in. `npm run model` checks
 * every assertion for all logs within the scopes below, and that without a line marked as a rule one of them fails.
 *
 * Left out, since they decide nothing here: signatures and keys, numbers, settings, links (invitations of anybody), limits. Wider than the
 * code: anybody can be promoted, not members alone, so that logs of few events have several administrators.
 */
module membership

// Seniority: any order that keeps what follows what. The code has depth and then the hash.
open util/ordering[Event] as order

sig Account {}

abstract sig Event {
  actor: Account,
  // All that it follows, over however many others.
  past: set Event,
  // Of these what stands, as the actor saw it.
  view: set Event,
  // What gives the actor the right: of an administrator's act the promotion (or the creation), of a join the invitation.
  basis: lone Event
}

one sig Create extends Event {}
sig Join, Leave extends Event {}
abstract sig Act extends Event { target: Account }
sig Invite, Remove, Promote, Demote extends Act {}

fact Log {
  past.past in past
  no Create.past
  no Create.basis
  all e: Event - Create | Create in e.past
  all e: Event, f: e.past | order/lt[f, e]
}

// ---- section 5: which events of a set stand

pred overrules[r: Event, e: Act] {
  r in Remove + Demote
  r.target = e.actor
  r.actor != e.actor
  order/lt[r.basis, e.basis] // rule: seniority
  r not in e.basis.past
  e not in r.past
}

// `s` is what stands in the set `h`.
pred stand[h, s: set Event] {
  s in h
  all e: h | e in s iff {
    e in Create + Leave
    or (e in Join and e.basis in s)
    or (e in Act and e.basis in s and no r: s | overrules[r, e])
  }
}

// ---- section 3: who is in

// The event lets `x` in, by the authority `a`.
pred entry[e, a: Event, x: Account] {
  (e in Create and e.actor = x and a = e)
  or (e in Join and e.actor = x and a = e.basis)
  or (e in Promote and e.target = x and a = e)
}

pred ends[e: Event, x: Account] {
  (e in Remove and e.target = x) or (e in Leave and e.actor = x)
}

pred holds[a: Event, x: Account, s: set Event] {
  all e: s | ends[e, x] implies e in a.past // rule: the authority knew of it
}

pred member[x: Account, s: set Event] {
  some e: s, a: Event | entry[e, a, x] and holds[a, x, s]
}

pred office[t: Event, x: Account, s: set Event] {
  t in s
  (t in Create and t.actor = x) or (t in Promote and t.target = x)
  holds[t, x, s]
  all d: s & Demote | d.target = x implies d in t.past
}

pred tenure[t: Event, x: Account, s: set Event] {
  office[t, x, s]
  no o: Event | office[o, x, s] and order/lt[o, t]
}

pred open_[i: Event, x: Account, s: set Event] {
  i in s & Invite
  i.target = x
  holds[i, x, s]
}

// What may be part of a log: judged by what the event follows, and by nothing else.
fact Judged {
  all e: Event | stand[e.past, e.view]
  no Leave.basis
  all e: Act | member[e.actor, e.view] and tenure[e.basis, e.actor, e.view]
  all e: Join | not member[e.actor, e.view] and open_[e.basis, e.actor, e.view]
  all e: Leave | member[e.actor, e.view]
  all e: Invite | not member[e.target, e.view]
  all e: Remove | e.target != e.actor and (member[e.target, e.view] or some i: e.view | open_[i, e.target, e.view])
  all e: Promote | no t: e.view | office[t, e.target, e.view]
  all e: Demote | some t: e.view | office[t, e.target, e.view]
}

// Two who have the same events, and say what stands.
one sig Said { one_, other: set Event }
fact { stand[Event, Said.one_] }

// ---- what is to hold

// One set of events says one thing.
assert Converges { stand[Event, Said.other] implies Said.one_ = Said.other }

// Nobody is in without the acts of administrators that stand, one resting on another, down to the creation.
assert ByAdministrators {
  all x: Account - Create.actor | member[x, Said.one_] implies
    some a: Said.one_ & (Invite + Promote) | a.target = x and Create in a.*basis and a.*basis in Said.one_
}

// Who was removed is out until somebody lets that one in who knows of it.
assert RemovedStaysOut {
  all r: Said.one_ & Remove |
    (no a: Said.one_ & (Invite + Promote) | a.target = r.target and r in a.past) implies not member[r.target, Said.one_]
}

// Nothing counts that a removed administrator did beside the removal by somebody senior.
assert RemovedActsNoMore {
  all r: Said.one_ & Remove, e: Act |
    (e.actor = r.target and order/lt[r.basis, e.basis] and r not in e.basis.past and e not in r.past) implies
      e not in Said.one_
}

// Nobody overrules the one who created the group.
assert CreatorStands { all e: Act | e.basis = Create implies e in Said.one_ }

// Two who remove one another: one of them succeeds, unless others have a say.
assert OneOfTwo {
  all a, b: Remove |
    (a.target = b.actor and b.target = a.actor and a not in b.past and b not in a.past
      and a.basis + b.basis in Said.one_ and no (Remove + Demote - a - b)) implies one ((a + b) & Said.one_)
}

// Who acts by an office that stands is in, unless removed or gone.
assert AdministratorsAreIn {
  all e: Said.one_ & Act |
    (no r: Said.one_ | ends[r, e.actor] and r not in e.basis.past) implies member[e.actor, Said.one_]
}

check Converges for 6 but 3 Account
check ByAdministrators for 5 but 3 Account
check RemovedStaysOut for 5 but 3 Account
check RemovedActsNoMore for 5 but 3 Account
check CreatorStands for 5 but 3 Account
check OneOfTwo for 6 but 3 Account
check AdministratorsAreIn for 5 but 3 Account

// The model is about something: such logs exist.
run TwoRemoveOneAnother {
  some a, b: Remove | a.target = b.actor and b.target = a.actor and a not in b.past and b not in a.past
} for 6 but 3 Account
run ComesBack { some x: Account, r: Said.one_ & Remove | r.target = x and member[x, Said.one_] } for 6 but 3 Account
