package HA::Crm;

# The CRM.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Daemon';

sub _kind { 'crm' }

sub request_stop { my ($self, $host) = @_; HA::FFI::call(crm_request_stop => $self, $host->_handle); return $self }

sub state { my ($self) = @_; return HA::FFI::word(daemon_state => HA::FFI::get(crm_state => $self)) }

sub manager_status {
    my ($self) = @_;
    my $handle = HA::FFI::get(crm_manager_status => $self);
    return $handle ? HA::ManagerStatus->_own($handle) : undef;
}

1;
