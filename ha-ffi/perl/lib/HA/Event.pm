package HA::Event;

# Events.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'event' }

sub new {
    my ($class, $event) = @_;
    my $json = ref $event ? HA::JSON::encode($event) : HA::FFI::utf8_bytes($event);
    return $class->_own(HA::FFI::get(event_from_json => \$json));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get(event_copy => $self)) }

# The number of its kind, as in ha.h.
sub kind { my ($self) = @_; return HA::FFI::event_get_kind($self->{handle}) }

sub name { my ($self) = @_; return HA::FFI::get(event_text => $self, 'event') }

sub text { my ($self, $field) = @_; return HA::FFI::get(event_text => $self, $field) }

sub number { my ($self, $field) = @_; return HA::FFI::get(event_number => $self, $field) }

sub list {
    my ($self, $field) = @_;
    my @items;
    while (defined(my $item = HA::FFI::get(event_item => $self, $field, scalar @items))) { push @items, $item }
    return @items;
}

sub severity { my ($self) = @_; return HA::FFI::word(severity => HA::FFI::get(event_get_severity => $self)) }

sub sentence { my ($self) = @_; return HA::FFI::get_text(event_sentence => $self) }

sub json { my ($self) = @_; return HA::FFI::get_text(event_to_json => $self) }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(event_to_json => $self)) }

1;
