package HA::Timings;

# Timings: what can be set, and whether it is safe together.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'timings' }

my $PRESETS = $HA::Interface::NUMBERS{timings_preset};

# A preset, or a hash of settings.
sub new {
    my ($class, $given) = @_;
    $given //= 'customary';
    return $class->_own(HA::FFI::get(timings_new => $PRESETS->{$given} // 0)) unless ref $given;
    my $json = HA::JSON::encode($given);
    return $class->_own(HA::FFI::get(timings_from_json => \$json));
}

sub get { my ($self, $setting) = @_; return HA::FFI::get(timings_get => $self, $setting) }

sub set { my ($self, $setting, $value) = @_; HA::FFI::call(timings_set => $self, $setting, $value); return $self }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(timings_to_json => $self)) }

# What follows from the timings, in nanoseconds; throws if they are not safe.
sub check {
    my ($self) = @_;
    return HA::FFI::get_struct(timing_facts => timings_check => $self);
}

sub watchdog_timeout_left { my ($self, $since) = @_; return HA::FFI::get(timings_watchdog_timeout_left => $self, $since) }

1;
