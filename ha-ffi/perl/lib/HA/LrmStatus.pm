package HA::LrmStatus;

# The record of an LRM.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Record';

sub _kind { 'lrm_status' }

sub _get { my ($self) = @_; my (undef, @fields) = HA::FFI::call(lrm_status_get => $self); return @fields }

sub state { my ($self) = @_; return HA::FFI::word(lrm_state => ($self->_get)[0]) }

sub mode { my ($self) = @_; return HA::FFI::word(lrm_mode => ($self->_get)[1]) }

sub timestamp { my ($self) = @_; return ($self->_get)[2] }

sub set {
    my ($self, @given) = @_;
    my %fields = HA::FFI::named('set', [qw(state mode timestamp)], @given);
    HA::FFI::call(lrm_status_set => $self, HA::FFI::word_number(lrm_state => $fields{state} // $self->state),
        HA::FFI::word_number(lrm_mode => $fields{mode} // $self->mode), $fields{timestamp} // $self->timestamp);
    return $self;
}

sub writer {
    my ($self) = @_;
    my ($status, $machine, $boot) = HA::FFI::call(lrm_status_writer => $self);
    return $status == 2 ? undef : { machine => $machine, boot => $boot };
}

sub set_writer {
    my ($self, $machine, $boot) = @_;
    HA::FFI::call(lrm_status_set_writer => $self, $machine, $boot);
    return $self;
}

sub results {
    my ($self) = @_;
    return map { HA::FFI::get_struct(result => lrm_status_result => $self, $_) } 0 .. ($self->_get)[3] - 1;
}

sub result { my ($self, $uid) = @_; return HA::FFI::get_struct(result => lrm_status_find => $self, $uid) }

sub add_result {
    my ($self, @given) = @_;
    my %result = HA::FFI::named('add_result', [qw(uid sid state exit_code)], @given);
    HA::Error->throw(status => 'argument', message => "'" . ($result{exit_code} // 'undef') . "' is no exit code")
        unless ($result{exit_code} // '') =~ /\A-?[0-9]+\z/;
    my $struct = HA::FFI::struct(result => %result);
    HA::FFI::call(lrm_status_add_result => $self, $struct->{address});
    return $self;
}

1;
