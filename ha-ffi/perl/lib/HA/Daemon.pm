package HA::Daemon;

# What both daemons have in common.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

# node, host; timings: HA::Timings, or none for the customary ones.
sub new {
    my ($class, @given) = @_;
    my %given = HA::FFI::named($class, [qw(node host timings)], @given);
    return $class->_own(HA::FFI::get($class->_kind . '_new', $given{node}, $given{timings}, $given{host}->_handle));
}

# monotonic: nanoseconds. Gives when it wants to be called next, and what it waits for.
sub tick {
    my ($self, $host, $monotonic, $wall) = @_;
    my (undef, $next, $wait) = HA::FFI::call($self->_kind . '_tick', $self, $host->_handle, $monotonic, $wall // time);
    return { next => $next, wait => $HA::FFI::NAME{wait}{$wait} };
}

1;
