package HA::RoundInput;

# What a round of the manager looks at.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'round_input' }

# members: node => online; lrms: node => HA::LrmStatus; configuration; unmanaged, usage: as hosts give them.
sub new {
    my ($class, @given) = @_;
    my %given = HA::FFI::named('HA::RoundInput', [qw(members lrms configuration unmanaged usage)], @given);
    my $self = $class->_own(HA::FFI::get('round_input_new'));
    $self->set_member($_, $given{members}{$_}) for sort keys %{$given{members} // {}};
    $self->set_lrm($_, $given{lrms}{$_}) for sort keys %{$given{lrms} // {}};
    $self->set_configuration($given{configuration}) if $given{configuration};
    $self->set_unmanaged($given{unmanaged}) if $given{unmanaged};
    $self->set_usage($given{usage}) if $given{usage};
    return $self;
}

# online undef: it is no member any more.
sub set_member {
    my ($self, $node, $online) = @_;
    HA::FFI::call(round_input_set_member => $self, $node, defined $online ? ($online ? 1 : 0) : -1);
    return $self;
}

sub set_lrm { my ($self, $node, $lrm) = @_; HA::FFI::call(round_input_set_lrm => $self, $node, $lrm); return $self }

sub set_configuration { my ($self, $given) = @_; HA::FFI::call(round_input_set_configuration => $self, $given); return $self }

sub set_unmanaged {
    my ($self, $guests) = @_;
    HA::FFI::call(round_input_clear_unmanaged => $self);
    HA::FFI::call(round_input_add_unmanaged => $self, @$_{qw(sid node)}, $_->{running} ? 1 : 0) for @$guests;
    return $self;
}

sub set_usage {
    my ($self, $usage) = @_;
    HA::FFI::call(round_input_set_usage => $self, $usage ? HA::Usage->_of($usage) : undef);
    return $self;
}

1;
