package HA::Situation;

# Placement with its reasons.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'situation' }

# members, usage, unmanaged: as hosts give them.
sub new {
    my ($class, $status, $configuration, @with) = @_;
    my %with = HA::FFI::named('HA::Situation', [qw(members usage unmanaged)], @with);
    my $self = $class->_own(HA::FFI::get(situation_new => $status, $configuration, $with{members} // []));
    HA::FFI::call(situation_set_usage => $self, HA::Usage->_of($with{usage})) if $with{usage};
    HA::FFI::call(situation_add_unmanaged => $self, @$_{qw(sid node)}, $_->{running} ? 1 : 0)
        for @{$with{unmanaged} // []};
    return $self;
}

sub _preference { return HA::FFI::word_number(preference => $_[0] // 'none') }

sub select {
    my ($self, $sid, $preference) = @_;
    my $room = HA::FFI::room(256);
    my $length = HA::FFI::get(situation_select => $self, $sid, _preference($preference), HA::FFI::address($room), 256);
    return $length ? substr $room, 0, $length : undef;
}

sub _explained {
    my ($handle) = @_;
    my $explanation = HA::Explanation->_own($handle);
    my $hash = HA::JSON::decode(HA::FFI::get(explanation_json => $explanation));
    $hash->{text} = HA::FFI::get_text(explanation_words => $explanation);
    return $hash;
}

sub explain {
    my ($self, $sid, $preference, $changes) = @_;
    return _explained(HA::FFI::get(situation_explain => $self, $sid, _preference($preference))) unless $changes;
    my $json = HA::JSON::encode($changes);
    return _explained(HA::FFI::get(situation_explain_with => $self, $sid, _preference($preference), \$json));
}

sub counterfactual {
    my ($self, $sid, $preference, $node) = @_;
    return HA::JSON::decode(HA::FFI::get(situation_counterfactual => $self, $sid, _preference($preference), $node));
}

sub balance {
    my ($self, $count, $manager) = @_;
    return HA::JSON::decode(HA::FFI::get(situation_balance => $self, $manager, $count // 0));
}

sub findings {
    my ($self) = @_;
    return HA::JSON::decode(HA::FFI::get(situation_findings => $self))->@*;
}

sub after_failure {
    my ($self, @nodes) = @_;
    my $recoveries = HA::Recoveries->_own(HA::FFI::get(situation_after_failure => $self, \@nodes));
    my @found = map { HA::FFI::get_struct(recovery => recoveries_get => $recoveries, $_) }
        0 .. HA::FFI::get(recoveries_count => $recoveries) - 1;
    return map { { to => undef, %$_, decided_by => HA::FFI::word(decider => $_->{decided_by}) } } @found;
}

package HA::Explanation;

our @ISA = 'HA::Object';

sub _kind { 'explanation' }

package HA::Recoveries;

our @ISA = 'HA::Object';

sub _kind { 'recoveries' }

1;
