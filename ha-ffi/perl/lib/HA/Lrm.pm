package HA::Lrm;

# The LRM.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Daemon';

sub _kind { 'lrm' }

sub set_writer {
    my ($self, $machine, $boot) = @_;
    HA::FFI::call(lrm_set_writer => $self, $machine, $boot);
    return $self;
}

sub request_stop {
    my ($self, $host, $request, $monotonic, $wall) = @_;
    HA::FFI::call(lrm_request_stop => $self, HA::FFI::word_number(stop_request => $request), $host->_handle, $monotonic,
        $wall // time);
    return $self;
}

sub _get { my ($self) = @_; my (undef, @fields) = HA::FFI::call(lrm_get_state => $self); return @fields }

sub state { my ($self) = @_; return HA::FFI::word(lrm_state => ($self->_get)[0]) }

sub mode { my ($self) = @_; return HA::FFI::word(lrm_mode => ($self->_get)[1]) }

1;
